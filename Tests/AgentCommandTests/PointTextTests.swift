import AgentRuntime
import ArgumentParser
import FleetWire
import Foundation
import HostSnapshots
import Testing

@testable import belay_agent

@Suite("What operators on a host read")
struct PointTextTests {
    private static let now = Timestamp(milliseconds: 1_795_560_000_000)

    @Test("the example of components that the help shows is read as what it says")
    func componentsExample() throws {
        let help = PointCommand.Create.configuration.discussion
        let start = try #require(help.firstIndex(of: "["))
        let end = try #require(help.lastIndex(of: "]"))
        let file = FileManager.default.temporaryDirectory
            .appendingPathComponent("belay-components-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: file) }
        try String(help[start...end]).write(to: file, atomically: true, encoding: .utf8)
        let specs = try ComponentArguments.read(file.path)
        #expect(specs.map(\.name.rawValue) == ["etc", "db"])
        #expect(specs.map(\.restart) == [true, false])
        #expect(
            specs.map(\.driver) == [
                .files(paths: ["/etc/app"], exclude: ["*.tmp"], data: false),
                .sqlite(path: "/srv/app.db"),
            ])
    }

    private func points() throws -> [PointSummary] {
        let digest = try #require(Digest(String(repeating: "ab", count: 32)))
        let etc = PointComponent(
            name: ComponentName(unchecked: "etc-nginx"), driver: "files", entries: 812,
            bytes: ByteCount(5_242_880),
            notes: ["/etc/nginx/pass holds what looks like a secret\nin clear"])
        let data = PointComponent(
            name: ComponentName(unchecked: "catalog"), driver: "sqlite", entries: 1,
            bytes: ByteCount(1536))
        return [
            PointSummary(
                id: PointID(unchecked: "20261120T101500123Z-0a1b2c3d"),
                at: Timestamp(milliseconds: Self.now.milliseconds - 345_600_000),
                reason: "before migration", rollout: RolloutID(unchecked: "web-2-20261120-a1b2"),
                components: [etc, data], digest: digest, inUse: "open rollout web-2-20261120-a1b2"),
            PointSummary(
                id: PointID(unchecked: "20261124T101500123Z-99999999"),
                at: Timestamp(milliseconds: Self.now.milliseconds - 60_000),
                reason: "a word\nand another", rollout: nil, components: [etc], digest: digest,
                name: "before-the-move", isDamaged: true),
        ]
    }

    @Test("points as a table, narrow and wide, and none", arguments: [false, true])
    func table(isWide: Bool) throws {
        let lines = PointText.points(
            try points(), isWide: isWide, now: Self.now, style: .plain)
        #expect(lines.count == 3, "a line feed in a reason must not make a row")
        try Golden.hold(lines, isWide ? "points-wide" : "points")
        #expect(
            PointText.points([], isWide: isWide, now: Self.now, style: .plain) == ["no points"])
    }

    @Test("points as JSON and YAML have the same content", arguments: [OutputFormat.json, .yaml])
    func documents(format: OutputFormat) throws {
        let text = try Document.text(of: PointReply(points: try points()), as: format)
        try Golden.hold([String(text.dropLast())], "points-\(format.rawValue)")
    }

    @Test("differences, a restore, a prune and a scrub")
    func outcomes() throws {
        let name = ComponentName(unchecked: "etc-nginx")
        let changes = [
            HostChange(component: name, path: "/etc/nginx/new", change: .added, detail: "file"),
            HostChange(component: name, path: "/etc/nginx/old", change: .removed, detail: ""),
            HostChange(
                component: name, path: "/etc/nginx/a%20b", change: .metadata,
                detail: "mode 0644 -> 0600"),
        ]
        let ids = try points().map(\.id)
        var restore = RestoreReply(
            point: ids[0], before: ids[1], components: [name], changed: 2, removed: 1,
            took: Milliseconds(1234))
        var lines = PointText.notes(try points(), style: .plain)
        lines += changes.map { PointText.change($0, style: .plain) }
        lines += PointText.restored(restore, isDryRun: true)
        lines += PointText.restored(restore, isDryRun: false)
        restore.before = nil
        lines += PointText.restored(restore, isDryRun: false)
        var prune = PruneReply(removed: [ids[0]], kept: 1, freed: ByteCount(5_000_000))
        lines += PointText.pruned(prune, isDryRun: true, style: .plain)
        prune.deferred = ["points are being read, so nothing was removed"]
        lines += PointText.pruned(prune, isDryRun: false, style: .plain)
        let scrub = ScrubReply(
            objects: 12, bytes: ByteCount(4096), damagedPoints: [ids[1]], repaired: 3,
            took: Milliseconds(40))
        lines += PointText.scrubbed(scrub, isRepair: true, style: .plain)
        var settings = StoreSettings()
        lines += PolicyText.lines(PointPolicy(settings), style: .plain)
        settings.retention = PointRetention(
            count: 20, age: .seconds(30 * 86_400), bytes: ByteCount(20 << 30))
        settings.keyFile = "/etc/belay/points.key"
        settings.scrubEvery = .seconds(86_400)
        lines += PolicyText.lines(PointPolicy(settings), style: .plain)
        try Golden.hold(lines, "outcomes")
    }

    @Test("a colour is used only where it is wanted")
    func colours() {
        let change = HostChange(
            component: ComponentName(unchecked: "a"), path: "/a", change: .added, detail: "")
        #expect(
            PointText.change(change, style: Style(color: true)) == "\u{1B}[32m+ /a  [a]\u{1B}[0m")
        #expect(PointText.change(change, style: .plain) == "+ /a  [a]")
    }

    @Test("progress says entries, bytes, rate and what is left, as far as they are known")
    func progress() {
        let known = ControlProgress(
            phase: "restoring", component: ComponentName(unchecked: "etc"), entries: 100,
            entriesTotal: 400, bytes: ByteCount(1 << 20), bytesTotal: ByteCount(4 << 20))
        #expect(
            ProgressText.line(known, elapsed: .seconds(2))
                == "restoring etc: 100 of 400 entries, 1.0 MiB of 4.0 MiB, 512 KiB/s, 6s left")
        let unknown = ControlProgress(
            phase: "scrubbing", component: nil, entries: 7, entriesTotal: nil, bytes: ByteCount(0),
            bytesTotal: nil)
        #expect(ProgressText.line(unknown, elapsed: .zero) == "scrubbing: 7 entries")
    }

    @Test(
        "a component is named after its path",
        arguments: [
            ("/etc/nginx", "etc-nginx"), ("/", "root"), ("/srv/a b/.c", "srv-a_b-_c"),
            ("/ä", "root"), ("/opt/x_", "opt-x"),
        ])
    func names(path: String, name: String) {
        #expect(ComponentArguments.name(of: path).rawValue == name)
    }

    @Test("quantities on the command line are read or refused")
    func quantities() {
        #expect(Quantity.span("30d") == .seconds(30 * 86_400))
        #expect(Quantity.size("20GiB") == ByteCount(20 << 30))
        for text in ["", "5", "0d", "-1d", "5 d", "d", "99999999999999999999d"] {
            #expect(Quantity.span(text) == nil, "\(text)")
        }
        for text in ["", "5", "5GB", "0GiB", "9223372036854775807TiB"] {
            #expect(Quantity.size(text) == nil, "\(text)")
        }
    }

    @Test(
        "arguments that do not go together are refused",
        arguments: [
            ["create", "--components", "x", "--path", "/a"], ["create", "--exclude", "x"],
            ["restore"], ["show"], ["policy", "--keep"], ["list", "-o", "xml"],
        ])
    func refused(arguments: [String]) {
        #expect(throws: (any Error).self) { try PointCommand.parseAsRoot(arguments) }
    }
}

/// Texts kept in files; `BELAY_REWRITE=1` writes them anew.
enum Golden {
    static func hold(_ lines: [String], _ name: String) throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Golden/\(name).txt")
        let text = lines.joined(separator: "\n") + "\n"
        if ProcessInfo.processInfo.environment["BELAY_REWRITE"] == "1" {
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        let kept = try String(contentsOf: file, encoding: .utf8)
        #expect(text == kept, "differs from \(file.path); BELAY_REWRITE=1 writes it anew")
    }
}
