import FleetWire
import Foundation
import Glibc
import Testing

@testable import HostSnapshots

/// One thing that a driver captures, as the conformance suite puts it through its list.
protocol DriverSubject: AnyObject {
    var scratch: Scratch { get }
    var spec: ComponentSpec { get }
    /// A store for it; its own services stand behind it.
    func store() throws -> PointStore
    /// Brings the thing into its first state, from absent.
    func make() throws
    /// Brings it into another state.
    func change() throws
    /// Makes it absent.
    func remove() throws
    /// Makes that it cannot be captured.
    func breakIt() throws
    /// What it is, seen by other means than the driver's; `absent` if it is not there.
    func view() throws -> String
    /// Damages what a capture kept, beside the objects of the store.
    func damage() throws
    /// True if an interrupted restore leaves the old or the captured state and nothing between.
    var isAtomic: Bool { get }
}

extension DriverSubject {
    /// Flips a byte of the first object of each pack: contents are written before catalogues.
    func damage() throws {
        let folder = scratch.path + "/points/packs"
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let url = URL(fileURLWithPath: folder + "/" + name)
            var bytes = try Data(contentsOf: url)
            bytes[8 + 41 + 3] ^= 0xFF
            try bytes.write(to: url)
        }
    }

    func store() throws -> PointStore { try scratch.store() }

    /// Every entry below `path` with all its metadata; none if it is absent.
    func lines(_ path: String) throws -> [String] {
        isThere(path) ? try scratch.view(path) : []
    }

    func read(_ path: String) -> String? {
        try? String(contentsOfFile: scratch.root + path, encoding: .utf8)
    }

    func isThere(_ path: String) -> Bool {
        var found = stat()
        return lstat(scratch.root + path, &found) == 0
    }
}

/// The drivers, and what each needs of the machine that tests it.
enum DriverKind: String, CaseIterable, CustomTestStringConvertible {
    case files, config, flags, sqlite, service, package, postgres, btrfs, command

    var testDescription: String { rawValue }

    /// Why it cannot be tested here; nil if it can.
    var missing: String? {
        func lacks(_ programs: String...) -> String? {
            programs.first { name in
                !["/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"].contains {
                    access($0 + name, X_OK) == 0
                }
            }.map { "\($0) is not installed" }
        }
        switch self {
        case .files, .config, .flags, .sqlite, .service, .command: return nil
        case .package: return lacks("dpkg", "dpkg-deb", "apt-get")
        case .postgres: return PostgresCluster.missing
        case .btrfs:
            return geteuid() == 0
                ? lacks("mkfs.btrfs", "btrfs", "mount") : "mounting a file system needs root"
        }
    }

    func subject() throws -> any DriverSubject {
        switch self {
        case .files, .config, .flags: try TreeSubject(self)
        case .sqlite: try DatabaseSubject()
        case .service: try ServiceSubject()
        case .package: try PackageSubject()
        case .postgres: try PostgresSubject()
        case .btrfs: try BtrfsSubject()
        case .command: try CommandSubject()
        }
    }
}
