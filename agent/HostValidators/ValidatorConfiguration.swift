package import FleetWire
import Glibc
import HostProcesses
import Validation

/// What the host's configuration file says of validators: `{"validators": {"tcp": {"latency_warn":
/// "2s"}}}`. It is JSON; quantities are written as in plans.
package struct ValidatorConfiguration: Sendable, Hashable {
    /// Where it lies below the host's root.
    package static let path = "/etc/belay/belay-agent.json"

    /// Why the file cannot be used.
    package struct Failure: Error, Sendable, Hashable {
        /// All that is wrong with it.
        package var reason: String
    }

    /// Thresholds by validator and name.
    package var thresholds: [String: [String: ParameterValue]]

    /// These thresholds.
    package init(thresholds: [String: [String: ParameterValue]] = [:]) {
        self.thresholds = thresholds
    }

    /// The file below `root`; nothing is set if there is none. Throws all that is wrong with it.
    package static func read(root: String) throws(Failure) -> ValidatorConfiguration {
        let place: String
        do throws(HostPathError) {
            place = try HostPath.below(root, path)
        } catch {
            throw Failure(reason: error.reason)
        }
        var status = stat()
        guard stat(place, &status) == 0 else {
            let code = errno
            guard code == ENOENT || code == ENOTDIR else {
                throw Failure(reason: "\(path): \(errorText(code))")
            }
            return ValidatorConfiguration()
        }
        guard let bytes = SmallFile.bytes(place) else {
            throw Failure(reason: "\(path) cannot be read, or is larger than 1 MiB")
        }
        return try ValidatorConfiguration(bytes: bytes)
    }

    /// The content of a file.
    package init(bytes: [UInt8]) throws(Failure) {
        guard let value = try? WireJSON.decode(ParameterValue.self, from: bytes) else {
            throw Failure(reason: "\(Self.path) is not JSON")
        }
        var reader = ParameterReader()
        thresholds = reader.configuration(value)
        guard reader.problems.isEmpty else {
            throw Failure(reason: "\(Self.path): " + reader.problems.joined(separator: "; "))
        }
    }
}
