import CLinux
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

    /// A small file system that it lies on.
    private let disk: LoopDisk?

    /// `inMemory` asks for a file system without a disk, for tests that write much and often.
    convenience init(inMemory: Bool = false) throws {
        try self.init(in: inMemory && Self.memoryHasAttributes ? "/dev/shm" : "/tmp")
    }

    /// One on a new file system of `kind`; root only.
    convenience init(on kind: String, megabytes: Int) throws {
        let below = try Scratch(inMemory: true)
        let disk = try LoopDisk(kind, megabytes: megabytes, at: below.path + "/disk", in: below)
        try self.init(in: disk.path, on: disk)
    }

    private init(in place: String, on disk: LoopDisk? = nil) throws {
        self.disk = disk
        var template = Array("\(place)/belay-snapshots-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw TestFailure("mkdtemp") }
        path = String(cString: made)
        mkdir(root, 0o755)
    }

    deinit {
        _ = try? Self.run(["chmod", "-R", "u+rwX", path])
        _ = try? Self.run(["rm", "-rf", path])
    }

    /// Linux' tmpfs holds users' attributes since 6.6.
    private static let memoryHasAttributes: Bool = {
        var template = Array("/dev/shm/belay-probe-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { return false }
        defer { rmdir(template) }
        return setxattr(template, "user.belay", [1], 1, 0) == 0
    }()

    func store() throws -> PointStore {
        try PointStore(directory: path + "/points", root: root, services: services)
    }

    func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: root + name))
    }

    /// Every entry below `folder` with all its metadata, one line each.
    func view(_ folder: String) throws -> [String] {
        try TreeImage(reading: root + folder).lines()
    }

    /// The same without sockets, which stay gone and stay where they are.
    func viewWithoutSockets(_ folder: String) throws -> [String] {
        try view(folder).filter { line in
            let mode = line.split(separator: " ", maxSplits: 2).dropFirst().first ?? ""
            return !(mode.count == 6 && mode.hasPrefix("14"))
        }
    }

    /// What two views do not share, for a failure's text.
    static func difference(_ found: [String], _ wanted: [String]) -> [String] {
        if found == wanted { return [] }
        return Set(found).subtracting(wanted).sorted().map { "found " + $0 }
            + Set(wanted).subtracting(found).sorted().map { "wanted " + $0 }
            + ["\(found.count) lines, wanted \(wanted.count)"]
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

    /// A process that is dead starts and stops nothing.
    var isDead: () -> Bool = { false }

    func isActive(_ control: ServiceControl) throws -> Bool { active.contains(control.unit ?? "") }
    func start(_ control: ServiceControl) throws {
        if isDead() { return }
        calls.append("start \(control.unit ?? "")")
        active.insert(control.unit ?? "")
    }
    func stop(_ control: ServiceControl) throws {
        if isDead() { return }
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
