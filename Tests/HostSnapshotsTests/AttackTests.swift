import FleetWire
import Glibc
import Testing

@testable import HostSnapshots

/// Does something to the world just before one call, and nothing else.
final class MomentLayer: FileCallInterposer, @unchecked Sendable {
    // Used by one thread of one test: while a test interposes, all work stays on one.
    private var left: Int
    private let act: () -> Void
    var isReached: Bool { left <= 0 }

    init(_ number: Int, _ act: @escaping () -> Void) {
        left = number
        self.act = act
    }

    func fate(of call: FileCall) -> FileCallFate {
        left -= 1
        if left == 0 { act() }
        return [.sync, .syncFileSystem].contains(call.kind) ? .pretended : .made
    }
}

/// Whoever may write in a component, or finds a way to write in the store, cannot make a capture
/// read or a restore write anything elsewhere, at whatever moment; nor can they make them hang.
@Suite struct AttackTests {
    /// What an attacker does: each is one call of the attacker's, or two.
    enum Attack: CaseIterable {
        case folderForLink, folderForAbsoluteLink, fileForLink, fileForPipe, topForLink

        func run(_ root: String) {
            switch self {
            case .folderForLink:
                rename(root + "/tree/in", root + "/moved")
                symlink("../outside", root + "/tree/in")
            case .folderForAbsoluteLink:
                rename(root + "/tree/in", root + "/moved")
                symlink(root + "/outside", root + "/tree/in")
            case .fileForLink:
                unlink(root + "/tree/in/a")
                symlink("../../outside/a", root + "/tree/in/a")
            case .fileForPipe:
                unlink(root + "/tree/in/a")
                mkfifo(root + "/tree/in/a", 0o666)
            case .topForLink:
                rename(root + "/tree", root + "/moved")
                symlink("outside", root + "/tree")
            }
        }
    }

    /// Its size is found nowhere else.
    private static let secret = String(repeating: "s", count: 7777)

    private func world() throws -> CrashWorld {
        try CrashWorld { scratch in
            let root = scratch.root
            for folder in ["/tree", "/tree/in", "/tree/in/below", "/outside", "/outside/below"] {
                mkdir(root + folder, 0o755)
            }
            for name in ["a", "b", "below/c"] {
                try CrashTree.file(root + "/tree/in/" + name, "old", 0o644)
                try CrashTree.file(root + "/outside/" + name, Self.secret, 0o600)
            }
            _ = try take(scratch.store(), "p1", [files("/tree")])
            for name in ["a", "added"] {
                unlink(root + "/tree/in/" + name)
                try CrashTree.file(root + "/tree/in/" + name, "new", 0o600)
            }
        }
    }

    /// Runs `act` with the attack before each call, until it ends earlier.
    private func sweep(
        _ attack: Attack, _ act: (PointStore) throws -> Void,
        check: (CrashWorld, Int) throws -> Void
    ) throws {
        let world = try world()
        let outside = try world.scratch.view("/outside")
        for number in stride(from: 1, to: 100_000, by: CrashWorld.isExhaustive ? 1 : 3) {
            try world.reset()
            let layer = MomentLayer(number) { attack.run(world.scratch.root) }
            try? act(
                PointStore(
                    directory: world.scratch.path + "/points", root: world.scratch.root,
                    services: world.scratch.services, calls: FileCalls(layer)))
            #expect(try world.scratch.view("/outside") == outside, "\(attack) at call \(number)")
            try check(world, number)
            if !layer.isReached { return }
        }
        Issue.record("it never ended")
    }

    @Test(arguments: Attack.allCases)
    func aCaptureNeverReadsElsewhere(attack: Attack) throws {
        try sweep(attack) {
            _ = try take($0, "p2", [files("/tree")])
        } check: { world, number in
            let store = try world.scratch.store()
            for point in try store.list() {
                let lines = try store.show(point.id).entries
                #expect(
                    !lines.contains { $0.contains(" \(Self.secret.utf8.count) ") },
                    "\(attack) at call \(number): \(lines)")
                #expect(try store.verify(point.id, deep: true).isEmpty)
            }
        }
    }

    @Test(arguments: Attack.allCases)
    func aRestoreNeverWritesElsewhere(attack: Attack) throws {
        try sweep(attack) {
            _ = try $0.restore(point: PointID(unchecked: "p1"))
        } check: { world, number in
            let root = world.scratch.root
            let outside = try world.scratch.view("/outside")
            if attack == .topForLink, number > 1 {
                // It is captured as a directory, and a link there is a thing to replace.
                rename(root + "/moved", root + "/away")
            }
            _ = try world.scratch.store().restore(point: PointID(unchecked: "p1"))
            #expect(try world.scratch.view("/outside") == outside, "\(attack) at call \(number)")
            let names = try world.scratch.view("/tree").map { String($0.prefix { $0 != " " }) }
            #expect(
                names == ["", "/in", "/in/a", "/in/b", "/in/below", "/in/below/c"],
                "\(attack) at call \(number)")
        }
    }

    @Test func hostileThingsInAStoreAreDamageAndNothingElse() throws {
        let world = try world()
        let scratch = world.scratch
        let packs = scratch.path + "/points/packs"
        let point = PointID(unchecked: "p1")
        let pack = try #require(OpenFolder(Array(packs.utf8)).map { $0.names() }?.first)
        let path = packs + "/" + String(decoding: pack, as: UTF8.self)
        let manifest = scratch.path + "/points/points/p1.json"
        let index = scratch.path + "/points/unchanged.index"
        let outside = try scratch.view("/outside")
        for victim in [path, manifest, index] {
            for make in [
                { _ = symlink(scratch.root + "/outside/a", victim) },
                { _ = mkfifo(victim, 0o600) },
                { _ = mkdir(victim, 0o700) },
                { _ = symlink("/dev/zero", victim) },
                { truncate(at: victim, to: 1 << 42) },
                { truncate(at: victim, to: 0) },
            ] as [() -> Void] {
                try world.reset()
                unlink(victim)
                make()
                let store = try scratch.store()
                #expect(try store.list().count == 1)
                if victim != index {
                    #expect(throws: PointError.self) { _ = try store.restore(point: point) }
                }
                _ = try? store.verify(point, deep: true)
                _ = try? take(store, "p2", [files("/tree")])
                #expect(try scratch.view("/outside") == outside)
            }
        }
    }
}

private func truncate(at path: String, to size: Int) {
    let file = open(path, O_WRONLY | O_CREAT, 0o600)
    ftruncate(file, size)
    close(file)
}
