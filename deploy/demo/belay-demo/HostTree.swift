import Crypto
import FoundationEssentials
import Glibc
import SQLiteFile

/// Digests of a whole host, computed by the demo itself and not by Belay.
///
/// Left out is what is no part of the released state: the agent's own state, logs, process ids,
/// and copies that the plan makes for people. A database is digested by schema and rows, since
/// equal contents can lie on other pages; the cache of computed features is left out of it.
struct HostTree: Sendable, Equatable {
    /// By path: kind, mode and content.
    let entries: [String: String]

    private static let excluded = ["/var/lib/belay", "/var/log", "/var/backups", "/run"]
    private static let cache = "feature_cache"

    init(of root: String) throws {
        var entries: [String: String] = [:]
        try Self.visit(root, below: "", into: &entries)
        self.entries = entries
    }

    /// One digest over all entries.
    var digest: String {
        var hash = SHA256()
        for (path, entry) in entries.sorted(by: { $0.key < $1.key }) {
            hash.update(data: Array("\(path)\t\(entry)\n".utf8))
        }
        return Self.hex(hash.finalize())
    }

    /// The paths that differ, at most ten.
    func differences(to other: HostTree) -> [String] {
        let paths = Set(entries.keys).union(other.entries.keys).sorted()
        return Array(paths.filter { entries[$0] != other.entries[$0] }.prefix(10))
    }

    private static func visit(
        _ root: String, below folder: String, into entries: inout [String: String]
    ) throws {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: root + folder)
        } catch {
            throw DemoFailure("cannot list \(root + folder): \(error)")
        }
        for name in names {
            let path = "\(folder)/\(name)"
            guard !excluded.contains(path), !name.hasSuffix(".db-wal"), !name.hasSuffix(".db-shm")
            else { continue }
            var found = stat()
            guard lstat(root + path, &found) == 0 else {
                throw DemoFailure("cannot look at \(root + path)")
            }
            let mode = String(found.st_mode & 0o7777, radix: 8)
            switch found.st_mode & S_IFMT {
            case S_IFDIR:
                entries[path] = "folder \(mode)"
                try visit(root, below: path, into: &entries)
            case S_IFLNK: entries[path] = "link \(try target(root + path, in: root))"
            case S_IFREG where name.hasSuffix(".db"):
                entries[path] = "database \(mode) \(try database(root + path))"
            case S_IFREG: entries[path] = "file \(mode) \(try content(root + path))"
            default: entries[path] = "other \(mode)"
            }
        }
    }

    /// Where a link leads, from the root of the host.
    private static func target(_ path: String, in root: String) throws -> String {
        do {
            return try FileManager.default.destinationOfSymbolicLink(atPath: path)
        } catch {
            throw DemoFailure("cannot read the link \(path): \(error)")
        }
    }

    private static func content(_ path: String) throws -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw DemoFailure("cannot read \(path)") }
        defer { close(file) }
        var hash = SHA256()
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(file, &buffer, buffer.count)
            guard count >= 0 else { throw DemoFailure("cannot read \(path)") }
            guard count > 0 else { return hex(hash.finalize()) }
            buffer.withUnsafeBytes { bytes in
                hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            }
        }
    }

    private static func database(_ path: String) throws -> String {
        let connection = try SQLiteConnection(path: path, mode: .readWrite)
        var lines = ["user_version \(try connection.userVersion())"]
        let tables = try connection.query(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        for table in tables {
            guard let name = table[0].text else { continue }
            lines.append("\(table)")
            guard name != cache else { continue }
            let rows = try connection.query("SELECT * FROM \"\(name)\"")
            lines += rows.map { "\($0)" }.sorted()
        }
        return hex(SHA256.hash(data: Array(lines.joined(separator: "\n").utf8)))
    }

    private static func hex(_ digest: SHA256.Digest) -> String {
        digest.map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
        }.joined()
    }
}
