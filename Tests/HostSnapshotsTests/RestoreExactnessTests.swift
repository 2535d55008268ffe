import CLinux
import FleetWire
import Foundation
import Glibc
import Testing

@testable import HostSnapshots

/// What stood beside, what is in the way, and what is durable when.
@Suite struct RestoreExactnessTests {
    private static func leftover(_ scratch: Scratch, _ store: PointStore, in folder: String) throws
    {
        let names = BesideNames(store: store.directory)
        let path = names.path(Array("\(folder)/x".utf8))
        try scratch.write(String(decoding: path, as: UTF8.self), "left over")
    }

    @Test func leftoversInDirectoriesThatGoDoNoHarm() throws {
        let scratch = try Scratch()
        mkdir(scratch.root + "/tree", 0o755)
        try scratch.write("/tree/file", "a file")
        symlink("nowhere", scratch.root + "/tree/link")
        try scratch.write("/tree/kept", "kept")
        let store = try scratch.store()
        let point = try take(store, "p1", [try files("/tree")])
        let before = try scratch.view("/tree")
        unlink(scratch.root + "/tree/file")
        unlink(scratch.root + "/tree/link")
        for folder in ["/tree/file", "/tree/link", "/tree/added"] {
            mkdir(scratch.root + folder, 0o755)
            mkdir(scratch.root + folder + "/sub", 0o700)
            try Self.leftover(scratch, store, in: folder + "/sub")
        }
        _ = try store.restore(point: point.id)
        #expect(try scratch.view("/tree") == before)
    }

    @Test func leftoversInATreeThatIsExchangedLeaveTheNewOneAsItWasCaptured() throws {
        let scratch = try Scratch()
        func fill(_ text: String) throws {
            for number in 0..<12 { try scratch.write("/tree/sub/f\(number)", "\(text) \(number)") }
        }
        for folder in ["/tree", "/tree/sub"] { mkdir(scratch.root + folder, 0o750) }
        try fill("old")
        var store = try scratch.store()
        let point = try take(store, "p1", [try files("/tree")])
        let before = try scratch.view("/tree")
        try fill("new")
        chmod(scratch.root + "/tree/sub", 0o700)
        try Self.leftover(scratch, store, in: "/tree/sub")
        let log = ChangeLog()
        store.beforeChange = { log.lines.append($0) }
        _ = try store.restore(point: point.id)
        #expect(log.lines.contains("exchange /tree"))
        #expect(try scratch.view("/tree") == before)
    }

    @Test func aTreeThatGoesWhileServicesStopIsWrittenWhole() throws {
        let scratch = try Scratch()
        func fill(_ text: String) throws {
            for number in 0..<12 { try scratch.write("/tree/f\(number)", "\(text) \(number)") }
        }
        mkdir(scratch.root + "/tree", 0o755)
        try fill("old")
        var spec = try files("/tree")
        spec.restart = true
        let service = ComponentSpec(
            name: try name("service"), driver: .service(ServiceControl(unit: "app")),
            restart: false)
        scratch.services.active = ["app"]
        var store = try scratch.store()
        let point = try take(store, "p1", [spec, service])
        let before = try scratch.view("/tree")
        try fill("new")
        let root = scratch.root
        store.beforeChange = { what in
            guard what.hasPrefix("stop") else { return }
            try Scratch.erase(Array("\(root)/tree".utf8))
        }
        _ = try store.restore(point: point.id)
        #expect(try scratch.view("/tree") == before)
    }

    @Test func aFileThatLostItsHolesIsWrittenAnew() throws {
        let scratch = try Scratch()
        let path = scratch.root + "/file"
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        ftruncate(file, 1 << 20)
        close(file)
        let store = try scratch.store()
        let point = try take(store, "p1", [try files("/file")])
        let before = try scratch.view("/file")
        try Data(repeating: 0, count: 1 << 20).write(to: URL(fileURLWithPath: path))
        try Scratch.run(["sync", path])
        _ = try store.restore(point: point.id)
        #expect(try scratch.view("/file") == before)
    }

    @Test func namesThatOnlyResembleThoseBesideAreOrdinary() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        let own = String(
            decoding: BesideNames(store: store.directory).name([]), as: UTF8.self)
        let other = String(
            decoding: BesideNames(store: "/another/store").name([]), as: UTF8.self)
        let names = [
            ".belay~", ".belay~0123456789abcdef", other, own + "0", String(own.dropLast()),
            String(own.dropLast()) + "g", own.uppercased(),
        ]
        mkdir(scratch.root + "/tree", 0o755)
        for name in names { try scratch.write("/tree/\(name)", name) }
        let point = try take(store, "p1", [try files("/tree")])
        let before = try scratch.view("/tree")
        _ = try store.restore(point: point.id)
        #expect(try scratch.view("/tree") == before)
        for name in names { unlink(scratch.root + "/tree/\(name)") }
        _ = try store.restore(point: point.id)
        #expect(try scratch.view("/tree") == before)
        try scratch.write("/tree/" + own, "reserved")
        _ = try store.restore(point: point.id)
        #expect(try scratch.view("/tree") == before)
    }

    @Test(arguments: ["absent", "changed", "a file at the top", "exchanged"])
    func whatIsWrittenIsSyncedBeforeItGetsItsName(_ what: String) throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        mkdir(scratch.root + "/tree", 0o755)
        for number in 0..<10 { try scratch.write("/tree/f\(number)", "old") }
        try scratch.write("/one", "old")
        let spec = try files(what == "a file at the top" ? "/one" : "/tree")
        let point = try take(store, "p1", [spec])
        switch what {
        case "absent": try Scratch.run(["rm", "-r", scratch.root + "/tree"])
        case "changed": try scratch.write("/tree/f1", "new")
        case "exchanged":
            for number in 0..<10 { try scratch.write("/tree/f\(number)", "changed") }
        default: try scratch.write("/one", "new")
        }
        let kinds = CallKinds()
        _ = try PointStore(
            directory: store.directory, root: scratch.root, services: scratch.services,
            calls: FileCalls(kinds)
        ).restore(point: point.id)
        let switched = try #require(kinds.made.firstIndex { $0 == .rename || $0 == .exchange })
        #expect(kinds.made[..<switched].count { $0 == .syncFileSystem } == 1)
        #expect(kinds.made[switched...].contains(.syncFileSystem))
    }

    /// Until its list of access stands, who it keeps out must not read it; and without root nothing
    /// could be set on a file that is made read-only.
    @Test(arguments: [(mode_t(0o644), true), (0o444, true), (0o644, false)])
    func whatHasAttributesIsOpenToNobodyUntilTheyStand(mode: mode_t, hasAttribute: Bool) throws {
        let scratch = try Scratch()
        mkdir(scratch.root + "/tree", 0o755)
        try scratch.write("/tree/file", "old")
        chmod(scratch.root + "/tree/file", 0o644)
        if hasAttribute {
            try #require(setxattr(scratch.root + "/tree/file", "user.k", "v", 1, 0) == 0)
        }
        chmod(scratch.root + "/tree/file", mode)
        var store = try scratch.store()
        let point = try take(store, "p1", [try files("/tree")])
        chmod(scratch.root + "/tree/file", 0o644)
        try scratch.write("/tree/file", "another")
        let root = scratch.root
        let log = ChangeLog()
        store.beforeChange = { what in
            guard what.hasPrefix("write ") else { return }
            for name in try FileManager.default.contentsOfDirectory(atPath: root + "/tree")
            where name.hasPrefix(".belay~") {
                var found = stat()
                lstat("\(root)/tree/\(name)", &found)
                log.lines.append(String(found.st_mode & 0o777, radix: 8))
            }
        }
        _ = try store.restore(point: point.id)
        #expect(log.lines == [hasAttribute ? "600" : "644"])
        var found = stat()
        lstat(root + "/tree/file", &found)
        #expect(found.st_mode & 0o777 == mode)
        #expect(getxattr(root + "/tree/file", "user.k", nil, 0) == (hasAttribute ? 1 : -1))
    }

    /// Remembers the kinds of all calls, and makes them.
    private final class CallKinds: FileCallInterposer, @unchecked Sendable {
        // Used by one thread: while a test interposes, all work stays on one.
        var made: [FileCall.Kind] = []
        func fate(of call: FileCall) -> FileCallFate {
            made.append(call.kind)
            return .made
        }
    }

    @Test func sizesOfAForgedCatalogueAreSummedWithoutATrap() throws {
        let scratch = try Scratch()
        mkdir(scratch.root + "/tree", 0o755)
        let root = Array("/tree".utf8)
        let builder = PlanBuilder(
            component: try name("release"), roots: [root], isChecked: false)
        for text in ["/tree/a", "/tree/b"] {
            var entry = Entry(kind: .regular, path: Array(text.utf8))
            entry.size = .max
            try builder.visit(.wanted(entry))
        }
        for text in ["/tree/c", "/tree/d"] {
            var entry = Entry(kind: .regular, path: Array(text.utf8))
            entry.size = .max - 1
            try builder.visit(.present(entry))
        }
        builder.finish()
        #expect(builder.plan.needed > .max - 4096)
        #expect(builder.plan.freed == .max)
        var greedy = builder.plan
        greedy.rooms[0].freed = 0
        let top = try scratch.store().hostRoot()
        #expect(throws: PointError.self) { try RestoreRoom([greedy, greedy], top) }
        #expect(try !RestoreRoom([builder.plan, builder.plan], top).fitsBeside)
    }
}
