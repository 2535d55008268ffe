import FleetWire
import Glibc
import Testing

@testable import HostSnapshots

/// Dry runs and differences.
@Suite struct ChangesTests {
    /// The paths whose line in the view differs, and how.
    private func differing(
        _ before: [String], _ after: [String], below folder: String
    ) -> [String: String] {
        func byPath(_ lines: [String]) -> [String: String] {
            let pairs = lines.map { (folder + $0.prefix { $0 != " " }, $0) }
            return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
        }
        let (old, new) = (byPath(before), byPath(after))
        var result: [String: String] = [:]
        for path in Set(old.keys).union(new.keys) where old[path] != new[path] {
            result[path] = old[path] == nil ? "added" : new[path] == nil ? "removed" : "changed"
        }
        return result
    }

    private func summary(_ changes: [PointChange]) -> [String: String] {
        Dictionary(
            changes.map {
                ($0.path, [.added, .removed].contains($0.change) ? $0.change.rawValue : "changed")
            }, uniquingKeysWith: { first, second in "\(first) and \(second)" })
    }

    @Test(arguments: 1...12)
    func aDryRunListsExactlyWhatTheRestoreThenDoes(seed: Int) throws {
        let scratch = try Scratch()
        var random = RandomTree(state: UInt64(seed) &* 0xD1B5_4A32_D192_ED03)
        let tree = Array((scratch.root + "/tree").utf8)
        mkdir(scratch.root + "/tree", 0o755)
        random.grow(tree, depth: 0, count: 20)
        let store = try scratch.store()
        let spec = try files("/tree")
        let first = try take(store, "p1", [spec])
        #expect(try store.changes(point: first.id).isEmpty)
        try random.mutate(tree)
        let second = try take(store, "p2", [spec])
        let before = try scratch.view("/tree")
        let lasting = try scratch.viewWithoutSockets("/tree")
        let listed = try store.changes(point: first.id)
        #expect(try scratch.view("/tree") == before, "a dry run changes nothing")
        #expect(try store.difference(second.id, first.id) == listed, "seed \(seed)")
        let summary = try store.restore(point: first.id)
        let after = try scratch.view("/tree")
        // A first name that was added later makes its other names hard links to it: which name is
        // the first does not show in a restore of the one that is left.
        let real = differing(before, after, below: "/tree")
        for (path, what) in real { #expect(self.summary(listed)[path] == what, "\(seed): \(path)") }
        for (path, what) in self.summary(listed) { #expect(real[path] == what, "\(seed): \(path)") }
        #expect(summary.changed == listed.count { $0.change != .removed })
        #expect(try store.changes(point: first.id).isEmpty)
        // Sockets of the first point did not come back, so they need not go.
        let (now, captured) = try (
            store.changes(point: second.id), store.difference(first.id, second.id)
        )
        let sockets = Set((now + captured).filter { $0.detail.contains("socket") }.map(\.path))
        #expect(
            now.filter { !sockets.contains($0.path) }
                == captured.filter { !sockets.contains($0.path) }, "seed \(seed)")
        _ = try store.restore(point: second.id)
        let problems = Scratch.difference(try scratch.viewWithoutSockets("/tree"), lasting)
        #expect(problems.isEmpty, "a rollback can be rolled back, seed \(seed)")
    }

    @Test func whatDiffersIsNamedInWords() throws {
        let scratch = try Scratch()
        mkdir(scratch.root + "/tree", 0o755)
        for name in ["content", "mode", "gone"] { try scratch.write("/tree/\(name)", "old") }
        symlink("one", scratch.root + "/tree/link")
        let store = try scratch.store()
        let point = try take(store, "p1", [try files("/tree")])
        try scratch.write("/tree/content", "longer")
        chmod(scratch.root + "/tree/mode", 0o600)
        unlink(scratch.root + "/tree/gone")
        unlink(scratch.root + "/tree/link")
        mkdir(scratch.root + "/tree/link", 0o755)
        try scratch.write("/tree/link/inner", "x")
        let changes = try store.changes(point: point.id)
        let found = Dictionary(uniqueKeysWithValues: changes.map { ($0.path, $0) })
        #expect(found["/tree/content"]?.change == .content)
        #expect(found["/tree/content"]?.detail.hasPrefix("size 6 -> 3") == true)
        #expect(found["/tree/mode"]?.change == .metadata)
        #expect(found["/tree/mode"]?.detail == "mode 0600 -> 0644")
        #expect(found["/tree/gone"]?.change == .added)
        #expect(found["/tree/link"]?.change == .kind)
        #expect(found["/tree/link"]?.detail == "directory -> symbolic link")
        #expect(found["/tree/link/inner"]?.change == .removed)
        let back = try store.difference(point.id, nil)
        #expect(back.map(\.path) == changes.map(\.path))
        #expect(back.first { $0.path == "/tree/gone" }?.change == .removed)
        #expect(back.first { $0.path == "/tree/link/inner" }?.change == .added)
        #expect(back.first { $0.path == "/tree/mode" }?.detail == "mode 0644 -> 0600")
    }

    @Test("times say their zone: RFC 3339 with nanoseconds, and seconds where that has no year")
    func times() throws {
        let scratch = try Scratch()
        mkdir(scratch.root + "/tree", 0o755)
        try scratch.write("/tree/file", "x")
        func set(_ seconds: Int, _ nanoseconds: Int) {
            let time = timespec(tv_sec: seconds, tv_nsec: nanoseconds)
            utimensat(AT_FDCWD, scratch.root + "/tree/file", [time, time], 0)
        }
        set(1_795_610_610, 5)
        let store = try scratch.store()
        let point = try take(store, "p1", [try files("/tree")])
        set(-1, 999_000_000)
        #expect(
            try store.changes(point: point.id).map(\.detail) == [
                "time 1969-12-31T23:59:59.999000000Z -> 2026-11-25T12:43:30.000000005Z"
            ])
        #expect(UTCTime.text(seconds: 253_402_300_800, nanoseconds: 7) == "@253402300800.000000007")
        #expect(UTCTime.text(seconds: .max, nanoseconds: 0) == "@\(Int64.max).000000000")
        #expect(
            PointStore.makeID(at: Timestamp(milliseconds: 1_795_610_610_042), random: [1])
                .rawValue == "20261125T124330042Z-01000000")
    }

    @Test func componentsOfOnlyOnePointAndServicesAreInTheDifference() throws {
        let scratch = try Scratch()
        try scratch.write("/a", "a")
        let service = ComponentSpec(
            name: try name("service"), driver: .service(ServiceControl(unit: "app")),
            restart: false)
        let store = try scratch.store()
        let first = try take(store, "p1", [try files("/a"), service])
        scratch.services.active = ["app"]
        let second = try take(store, "p2", [service])
        let difference = try store.difference(first.id, second.id)
        #expect(difference.map(\.change) == [.removed, .content])
        #expect(difference.map(\.component.rawValue) == ["release", "service"])
        #expect(difference.last?.detail == "target inactive -> active")
        #expect(try store.difference(second.id, nil).isEmpty)
    }
}
