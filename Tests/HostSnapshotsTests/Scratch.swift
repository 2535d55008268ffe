import FleetWire
import Foundation
import Glibc

@testable import HostSnapshots

/// A directory of one test, with a root, a store and a view of the tree that owes nothing to the
/// code under test.
final class Scratch {
    let path: String
    var root: String { path + "/root" }
    let services = RecordedServices()

    init() throws {
        var template = Array("/tmp/belay-snapshots-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw TestFailure("mkdtemp") }
        path = String(cString: made)
        mkdir(root, 0o755)
    }

    deinit {
        _ = try? Self.run(["chmod", "-R", "u+rwX", path])
        _ = try? Self.run(["rm", "-rf", path])
    }

    func store() throws -> PointStore {
        try PointStore(directory: path + "/points", root: root, services: services)
    }

    func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: root + name))
    }

    /// Every entry below `folder` with all its metadata, one line each.
    func view(_ folder: String) throws -> [String] {
        var lines: [String] = []
        var names: [ino_t: String] = [:]
        try look(Array((root + folder).utf8), &lines, &names)
        return lines
    }

    private func look(
        _ path: [UInt8], _ lines: inout [String], _ names: inout [ino_t: String]
    ) throws {
        var found = stat()
        guard withPath(path, { lstat($0, &found) }) == 0 else { return }
        let type = found.st_mode & S_IFMT
        let slash = path.lastIndex(of: 0x2F) ?? 0
        let directory = Descriptor(
            withPath(Array(path[..<slash])) { open($0, O_RDONLY | O_DIRECTORY) })
        let name = Array(path[(slash + 1)...])
        let first = names[found.st_ino] ?? printable(path)
        names[found.st_ino] = first
        var line = "\(printable(path)) \(String(found.st_mode, radix: 8)) \(found.st_uid) "
        line += "\(found.st_gid) \(found.st_mtim.tv_sec).\(found.st_mtim.tv_nsec) "
        line += "\(found.st_rdev) first=\(first) "
        line += "\(try Attributes.read(directory, name)) "
        if type == S_IFREG {
            let file = Descriptor(withPath(path) { open($0, O_RDONLY) })
            var bytes = [UInt8](repeating: 0, count: Int(found.st_size))
            let count = try bytes.withUnsafeMutableBytes { try file.read($0, at: 0, path) }
            line += "\(count) \(bytes.hashValue) \(found.st_blocks * 512 < found.st_size)"
        }
        if type == S_IFLNK {
            var target = [CChar](repeating: 0, count: 4096)
            let count = withPath(path) { readlink($0, &target, 4096) }
            line += "\(target.prefix(max(0, count)))"
        }
        lines.append(line)
        if type == S_IFDIR {
            let here = Descriptor(withPath(path) { open($0, O_RDONLY | O_DIRECTORY) })
            for child in try here.names() { try look(path + [0x2F] + child, &lines, &names) }
        }
    }

    @discardableResult
    static func run(_ argv: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = argv
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw TestFailure(argv.joined(separator: " ")) }
        return String(decoding: data, as: UTF8.self)
    }
}

struct TestFailure: Error {
    let what: String
    init(_ what: String) { self.what = what }
}

/// Services that only remember what they were told.
final class RecordedServices: ServiceControlling, @unchecked Sendable {
    // Used by one thread of one test at a time.
    var active: Set<String> = []
    var calls: [String] = []

    func isActive(_ control: ServiceControl) throws -> Bool { active.contains(control.unit ?? "") }
    func start(_ control: ServiceControl) throws {
        calls.append("start \(control.unit ?? "")")
        active.insert(control.unit ?? "")
    }
    func stop(_ control: ServiceControl) throws {
        calls.append("stop \(control.unit ?? "")")
        active.remove(control.unit ?? "")
    }
}

func name(_ text: String) throws -> ComponentName {
    guard let name = ComponentName(text) else { throw TestFailure(text) }
    return name
}

func files(_ paths: String..., exclude: [String] = []) throws -> ComponentSpec {
    ComponentSpec(
        name: try name("release"), driver: .files(paths: paths, exclude: exclude, data: false),
        restart: false)
}

func take(_ store: PointStore, _ id: String, _ specs: [ComponentSpec]) throws -> PointSummary {
    try store.create(
        id: PointID(unchecked: id), at: Timestamp(milliseconds: 1_700_000_000_123),
        reason: "test", rollout: nil, components: specs)
}
