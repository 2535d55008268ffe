import FleetWire
import Foundation
import Glibc

@testable import HostSnapshots

/// A btrfs in a file, mounted for as long as somebody holds it; root only.
final class MountedBtrfs {
    let path: String
    private let image: String

    init(image: String, at path: String, bytes: Int) throws {
        self.path = path
        self.image = image
        try Scratch.run(["truncate", "-s", "\(bytes)", image])
        try Scratch.run(["mkfs.btrfs", "-q", image])
        mkdir(path, 0o755)
        try Scratch.run(["mount", "-o", "loop", image, path])
    }

    /// A lazy unmount ends the loop device too, once nobody holds a file in it.
    deinit {
        _ = try? Scratch.run(["umount", "-l", path])
        unlink(image)
    }

    func subvolume(_ name: String) throws {
        try Scratch.run(["btrfs", "-q", "subvolume", "create", path + "/" + name])
    }
}

/// A subvolume with a small tree.
final class BtrfsSubject: DriverSubject {
    let scratch: Scratch
    let spec: ComponentSpec
    let isAtomic = true
    let mounted: MountedBtrfs

    init() throws {
        scratch = try Scratch()
        spec = ComponentSpec(
            name: try name("thing"), driver: .btrfs(BtrfsComponent(path: "/srv/app")),
            restart: false)
        mounted = try MountedBtrfs(
            image: scratch.path + "/image", at: scratch.root + "/srv", bytes: 256 << 20)
    }

    func make() throws {
        try mounted.subvolume("app")
        mkdir(scratch.root + "/srv/app/folder", 0o750)
        try scratch.write("/srv/app/folder/a", String(repeating: "abc", count: 10_000))
        try scratch.write("/srv/app/b", "b")
        link(scratch.root + "/srv/app/b", scratch.root + "/srv/app/c")
    }

    func change() throws {
        try scratch.write("/srv/app/b", "B")
        try scratch.write("/srv/app/folder/added", "x")
        unlink(scratch.root + "/srv/app/folder/a")
    }

    func remove() throws {
        try Scratch.run(["btrfs", "-q", "subvolume", "delete", scratch.root + "/srv/app"])
    }

    func breakIt() throws {
        try remove()
        mkdir(scratch.root + "/srv/app", 0o755)
    }

    func damage() throws {
        let folder = scratch.root + "/srv/.belay-points"
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            try Scratch.run(["btrfs", "-q", "subvolume", "delete", folder + "/" + name])
        }
    }

    func view() throws -> String {
        let found = try lines("/srv/app")
        return found.isEmpty ? "absent" : found.joined(separator: "\n")
    }
}
