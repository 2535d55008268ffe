import FoundationEssentials
import Glibc
import Synchronization

/// Feature flags out of a flagd definition file, read again when the file changes.
///
/// The file is looked at on demand, at most once a second. One that has become unreadable or
/// malformed changes nothing: the values read last stay, and `problem` says what is wrong.
package final class FlagFile: Sendable {
    /// What the service knows of its flags at one moment.
    package struct Reading: Sendable, Equatable {
        /// The value of every boolean flag of the file; a disabled one is false.
        package var values: [String: Bool]
        /// Why the file's present contents are not used; nil when they are.
        package var problem: String?
    }

    /// The part of flagd's format that the service uses.
    private struct Definition: Decodable {
        struct Flag: Decodable {
            var state: String
            var variants: [String: Bool]
            var defaultVariant: String
        }
        var flags: [String: Flag]
    }

    /// What tells one version of the file from another.
    private struct Stamp: Equatable {
        var inode: UInt64
        var size: Int64
        var seconds: Int
        var nanoseconds: Int
    }

    private struct State {
        var reading: Reading
        var stamp: Stamp?
        var lookedAt: ContinuousClock.Instant
    }

    private let path: String
    private let interval: Duration
    private let state: Mutex<State>

    /// The flag that switches histograms and correlations on.
    package static let vectorizedFeatures = "vectorized-features"
    /// The flag that makes the registry take no datasets.
    package static let readOnly = "read-only"

    /// Reads the file; refuses one that is missing or malformed.
    package init(path: String, interval: Duration = .seconds(1)) throws(RegistryProblem) {
        self.path = path
        self.interval = interval
        let stamp = Self.stamp(of: path)
        let values = try Self.load(path)
        state = Mutex(
            State(reading: Reading(values: values), stamp: stamp, lookedAt: ContinuousClock.now))
    }

    /// The flags as they stand now.
    package func reading() -> Reading {
        state.withLock { state in
            let now = ContinuousClock.now
            guard now - state.lookedAt >= interval else { return state.reading }
            state.lookedAt = now
            let stamp = Self.stamp(of: path)
            guard stamp != state.stamp || stamp == nil else { return state.reading }
            state.stamp = stamp
            do throws(RegistryProblem) {
                state.reading = Reading(values: try Self.load(path))
            } catch {
                state.reading.problem = error.description
            }
            return state.reading
        }
    }

    /// Whether a flag is on; one that the file does not define is off.
    package func isOn(_ name: String) -> Bool {
        reading().values[name] ?? false
    }

    private static func load(_ path: String) throws(RegistryProblem) -> [String: Bool] {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)) else {
            throw RegistryProblem(.unavailable, "cannot read the flags \(path)")
        }
        let definition: Definition
        do {
            definition = try JSONDecoder().decode(Definition.self, from: data)
        } catch {
            throw RegistryProblem(
                .invalid, "flags \(path) are not a flagd definition of boolean flags: \(error)")
        }
        var values: [String: Bool] = [:]
        for (name, flag) in definition.flags {
            switch flag.state {
            case "ENABLED":
                guard let value = flag.variants[flag.defaultVariant] else {
                    throw RegistryProblem(
                        .invalid,
                        "flags \(path): \(name) has no variant \"\(flag.defaultVariant)\"")
                }
                values[name] = value
            case "DISABLED": values[name] = false
            default:
                throw RegistryProblem(
                    .invalid,
                    "flags \(path): \(name) has the state \(flag.state), "
                        + "expected ENABLED or DISABLED")
            }
        }
        return values
    }

    private static func stamp(of path: String) -> Stamp? {
        var found = stat()
        guard stat(path, &found) == 0 else { return nil }
        return Stamp(
            inode: UInt64(found.st_ino), size: Int64(found.st_size),
            seconds: found.st_mtim.tv_sec, nanoseconds: found.st_mtim.tv_nsec)
    }
}
