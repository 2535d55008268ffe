package import FleetWire
import Glibc

/// The agent's files: their places, their modes, and writes that are whole or not there.
package struct StateDirectory: Sendable {
    /// The directory, 0700.
    package let path: String
    /// The folder that stands for `/` on this host; empty on a real host.
    package let root: String

    /// The state below `root`, or at `state` when it is given. Nothing is made.
    package init(root: String?, state: String?) {
        let root = root.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 } ?? ""
        self.root = root
        path = state ?? root + "/var/lib/belay"
    }

    /// A file of the state.
    package func file(_ name: String) -> String { path + "/" + name }

    /// `/` or the root folder, for modules that take paths below a directory.
    package var rootDirectory: String { root.isEmpty ? "/" : root }

    /// Makes the directories (0700) that are missing.
    package func make() throws {
        var built = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            built += "/" + part
            if mkdir(built, 0o700) != 0, errno != EEXIST { throw Self.failure("create", built) }
        }
        for name in ["points", "artifacts", "guard", "guard/groups"] {
            if mkdir(file(name), 0o700) != 0, errno != EEXIST {
                throw Self.failure("create", file(name))
            }
        }
    }

    /// Throws unless the directory and every file of secrets are closed to group and others.
    package func requirePrivate() throws {
        try Self.requirePrivate(path)
        for name in [
            "host.key", "enrol.key", "host.pem", "agent.json", "journal.sqlite", "points", "guard",
        ] {
            if access(file(name), F_OK) == 0 { try Self.requirePrivate(file(name)) }
        }
    }

    private static func requirePrivate(_ path: String) throws {
        var info = stat()
        guard stat(path, &info) == 0 else {
            throw AgentError(
                "\(path) cannot be read: \(String(cString: strerror(errno)))",
                remedy: "enrol this host with `belay-agent enroll`", exitCode: 13)
        }
        guard info.st_mode & 0o077 == 0 else {
            let isDirectory = info.st_mode & S_IFMT == S_IFDIR
            throw AgentError(
                "\(path) has mode \(String(info.st_mode & 0o7777, radix: 8)), others can reach it",
                remedy: "run: chmod \(isDirectory ? "0700" : "0600") \(path)", exitCode: 3)
        }
    }

    /// Writes a file 0600: beside, synced, renamed, directory synced. Durable on return.
    package func write(_ bytes: [UInt8], to name: String) throws {
        try Self.write(bytes, path: file(name))
    }

    /// The same anywhere.
    package static func write(_ bytes: [UInt8], path target: String) throws {
        let beside = target + ".new"
        let out = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard out >= 0 else { throw failure("create", beside) }
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(out, $0.baseAddress.map { $0 + sent }, bytes.count - sent)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let failure = failure("write", beside)
                close(out)
                throw failure
            }
            sent += count
        }
        guard fsync(out) == 0, close(out) == 0, rename(beside, target) == 0 else {
            throw failure("write", target)
        }
        guard syncDirectory(of: target) else {
            throw failure("sync the directory of", target)
        }
    }

    /// False, with `errno` set, if the directory cannot be synced.
    private static func syncDirectory(of target: String) -> Bool {
        let parent = target.split(separator: "/").dropLast().joined(separator: "/")
        let directory = open(
            (target.hasPrefix("/") ? "/" : "./") + parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { return false }
        defer { close(directory) }
        return fsync(directory) == 0
    }

    /// Removes a file if it is there. A file that comes back after a crash is read again and does
    /// no harm, so a directory that cannot be synced is no error here.
    package func remove(_ name: String) {
        if unlink(file(name)) == 0 { _ = Self.syncDirectory(of: file(name)) }
    }

    /// A file's bytes, or nil if it is missing or cannot be read; at most 16 MiB.
    package func read(_ name: String) -> [UInt8]? { Self.read(path: file(name)) }

    /// A file's bytes, or nil if it is missing or cannot be read; at most 16 MiB.
    package static func read(path: String) -> [UInt8]? {
        let input = open(path, O_RDONLY | O_CLOEXEC)
        guard input >= 0 else { return nil }
        defer { close(input) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while bytes.count <= 16 << 20 {
            let count = Glibc.read(input, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return bytes }
            bytes += buffer.prefix(count)
        }
        return nil
    }

    /// A file's text, or an error that says how to come by it.
    package func text(_ name: String) throws -> String {
        guard let bytes = read(name) else {
            throw AgentError(
                "\(file(name)) cannot be read: \(String(cString: strerror(errno)))",
                remedy: "enrol this host with `belay-agent enroll`", exitCode: 13)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A stored value, or nil if it is missing or malformed.
    package func value<Value: Decodable>(_ type: Value.Type, in name: String) -> Value? {
        read(name).flatMap { try? WireJSON.decode(type, from: $0) }
    }

    static func failure(_ attempt: String, _ path: String) -> AgentError {
        AgentError(
            "cannot \(attempt) \(path): \(String(cString: strerror(errno)))",
            remedy: errno == ENOSPC ? "free space on its file system" : nil)
    }
}

/// `agent.json`: whom this agent belongs to.
package struct AgentConfiguration: Codable, Sendable, Hashable {
    /// The coordinator, `HOST:PORT`.
    package var coordinator: String
    /// This host.
    package var host: HostID
    /// A configuration of these fields.
    package init(coordinator: String, host: HostID) {
        self.coordinator = coordinator
        self.host = host
    }

    /// Of a host that no coordinator knows, or whose `agent.json` is lost: for break-glass alone.
    static var notEnrolled: AgentConfiguration {
        let name = HostFacts.gather()["hostname"].flatMap { HostID($0) }
        return AgentConfiguration(coordinator: "", host: name ?? HostID(unchecked: "here"))
    }

    /// The coordinator's name and port; throws for anything that is not `HOST:PORT`.
    package func address() throws -> (host: String, port: Int) {
        guard let colon = coordinator.lastIndex(of: ":"),
            let port = Int(coordinator[coordinator.index(after: colon)...]),
            (1...65_535).contains(port)
        else {
            throw AgentError(
                "\(coordinator) is not an address", remedy: "write it as HOST:PORT", exitCode: 5)
        }
        var host = String(coordinator[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        return (host, port)
    }
}

extension StateDirectory {
    /// The host's id as it is enrolled, else its hostname.
    package var hostID: HostID {
        (value(AgentConfiguration.self, in: "agent.json") ?? .notEnrolled).host
    }

    /// True if something is at `path`.
    static func isThere(_ path: String) -> Bool { access(path, F_OK) == 0 }
}
