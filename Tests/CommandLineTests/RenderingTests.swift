import FleetWire
import Foundation
import OperatorAPI
import RolloutCalendar
import RolloutCore
import Testing

@testable import belay

@Suite("What operators read")
struct RenderingTests {
    @Test("a plan shows waves, limits, changes by host, trouble, notes and the digest")
    func plan() throws {
        try Golden.hold(
            PlanText(preview: Samples.preview(), file: "plans/registry 2.yaml", style: .plain)
                .lines(), "plan")
    }

    @Test("a frame fits the terminal", arguments: [60, 80, 120])
    func frame(width: Int) throws {
        let lines = frame(Samples.running(), width: width, height: 40)
        #expect(lines.allSatisfy { DisplayWidth.of($0) <= width })
        try Golden.hold(lines, "watch-running-\(width)")
    }

    @Test("what holds the pace is watched and shown: growth, rehearsal, late hosts, approvals")
    func paced() throws {
        let view = Samples.paced()
        let lines = frame(view, width: 120, height: 40)
        #expect(lines.contains { $0.contains("expires in 9m 30s") }, "\(lines)")
        try Golden.hold(lines, "watch-paced")
        try Golden.hold(
            RolloutText.show(view, now: Samples.after(60), isWide: false, style: .plain),
            "show-paced")
        let document = try Document.text(of: view, as: .json)
        for word in ["at_once", "in_row", "approvals_hold", "converges", "rehearsal"] {
            #expect(document.contains(word), "\(word)")
        }
    }

    @Test("a plan shows windows, growth, cover, gates, deadlines and what cannot be taken back")
    func fullPlan() throws {
        let preview = try PlanSamples.fullPreview()
        let calendar = try PlanSamples.calendar(preview.plan, zones: .ofThisMachine)
        let text = PlanText(
            preview: preview, file: "full-rollout.yaml", style: .plain, calendar: calendar)
        try Golden.hold(text.lines(), "plan-full")
        try Golden.hold(text.summary(), "plan-full-summary")
    }

    @Test("a machine without time zones shows the plan and says what it cannot read")
    func planWithoutZones() throws {
        let preview = try PlanSamples.fullPreview()
        let zones = ZoneFolder(path: "/tmp/belay-there-are-no-zones-here")
        let calendar = try PlanSamples.calendar(preview.plan, zones: zones)
        let lines = PlanText(
            preview: preview, file: "full-rollout.yaml", style: .plain, calendar: calendar
        ).lines()
        #expect(lines.contains { $0.contains("install the package tzdata") })
    }

    @Test("programs get the plan with its calendar, and without one as before")
    func planForPrograms() throws {
        let preview = try PlanSamples.fullPreview()
        let calendar = try PlanSamples.calendar(preview.plan, zones: .ofThisMachine)
        for format in [OutputFormat.json, .yaml] {
            let text = try Document.text(
                of: PlanReport(preview: preview, calendar: calendar), as: format)
            for word in [
                "is_open", "changes_at", "openings", "uncovered", "point_of_no_return",
                "compatible_with", "mass_loss_percent", "growth", "progress_deadline",
            ] { #expect(text.contains(word), "\(format): \(word)") }
        }
        let plain = try Document.text(of: Samples.preview(), as: .json)
        let report = try Document.text(
            of: PlanReport(preview: Samples.preview(), calendar: nil), as: .json)
        #expect(plain == report)
    }

    @Test("a frame of 600 hosts collapses to what matters and counts")
    func large() throws {
        let lines = frame(Samples.large(), width: 100, height: 24)
        #expect(lines.count < 24)
        #expect(lines.contains { $0.contains("n-211") && $0.contains("disk I/O error") })
        try Golden.hold(lines, "watch-large")
    }

    @Test("without a height every host is shown")
    func everyHost() {
        let lines = frame(Samples.large(), width: 100, height: nil)
        #expect(lines.count { $0.contains(" n-") && !$0.contains("more host") } >= 600)
    }

    @Test("a frame of a rollout that was rolled back says why")
    func rolledBack() throws {
        try Golden.hold(
            frame(Samples.rolledBack(), width: 100, height: 40), "watch-rolled-back")
    }

    @Test("a frame says since when the coordinator is away")
    func away() {
        let lines = WatchFrame(
            view: Samples.running(), now: Samples.after(60), width: 80, height: 40, style: .plain,
            notice: "coordinator unreachable since 23:00:00Z, retrying"
        ).lines()
        #expect(lines[1] == "coordinator unreachable since 23:00:00Z, retrying")
    }

    @Test("a frame fits any size and never traps", arguments: [1, 2, 7, 19, 33, 64, 300])
    func anySize(width: Int) {
        for view in [Samples.running(), Samples.large(), Samples.rolledBack()] {
            for height in [1, 3, 10, 50] {
                let lines = frame(view, width: width, height: height)
                #expect(lines.allSatisfy { DisplayWidth.of($0) <= width })
            }
        }
    }

    @Test("without a locale of UTF-8 only ASCII is drawn")
    func ascii() {
        let style = Style(color: false, unicode: false)
        let lines = WatchFrame(
            view: Samples.running(), now: Samples.after(60), width: 120, height: 40, style: style
        ).lines()
        #expect(lines.allSatisfy { $0.utf8.allSatisfy { $0 < 0x80 } })
    }

    @Test("a rollout in full, as a table and wide")
    func show() throws {
        let now = Samples.after(60)
        try Golden.hold(
            RolloutText.show(Samples.running(), now: now, isWide: false, style: .plain), "show")
        try Golden.hold(
            RolloutText.show(Samples.rolledBack(), now: now, isWide: true, style: .plain),
            "show-wide")
    }

    @Test("lists of rollouts, hosts, tokens, points and the quarantine")
    func lists() throws {
        let now = Samples.after(60)
        let style = Style.plain
        var lines = RolloutText.list(
            [Samples.running(), Samples.rolledBack()].map(RolloutSummary.init), now: now,
            isWide: true, style: style)
        lines += [""] + ListText.hosts(hosts, now: now, isWide: true, style: style)
        lines += [""] + ListText.host(hosts[0], now: now, style: style)
        lines += [""] + ListText.host(hosts[2], now: now, style: style)
        let token = TokenView(
            id: "t1", expires: Samples.after(3600), usesLeft: 5, labels: ["zone": "a"],
            revoked: false, token: nil)
        lines += [""] + ListText.tokens([token], now: now, style: style)
        let points = [PointAnswer(host: Samples.host("a-1"), reply: PointReply(points: [point]))]
        lines += [""] + PointText.list(points, isWide: true, style: style)
        let bad = QuarantineView(
            digest: Samples.digest, reason: "health failed on a-1",
            rollout: RolloutID("registry-2-7f3a")!, at: Samples.begin)
        var over = bad
        over.kind = .artifact
        over.name = "registry"
        over.until = Samples.begin
        lines += [""] + ListText.quarantine([bad, over], now: now, style: style)
        lines += ListText.quarantine([], now: now, style: style)
        try Golden.hold(lines, "lists")
    }

    @Test("a document in YAML says the same as in JSON")
    func documents() throws {
        let view = Samples.running()
        #expect(try Document.text(of: view, as: .json).contains("\"steps_total\" : 12"))
        #expect(try Document.text(of: view, as: .yaml).contains("steps_total: 12"))
        #expect(try !Document.line(of: view).contains("\n"))
    }

    @Test("lost hosts are named with their reason when a rollout ends")
    func outcome() throws {
        try Golden.hold(RolloutText.outcome(Samples.rolledBack(), style: .plain), "outcome")
    }

    private func frame(_ view: RolloutView, width: Int, height: Int?) -> [String] {
        WatchFrame(
            view: view, now: Samples.after(60), width: width, height: height, style: .plain
        ).lines()
    }

    private var hosts: [OperatorAPI.HostView] {
        var first = OperatorAPI.HostView(
            id: Samples.host("a-1"), labels: ["zone": "a", "app": "registry"], connected: true,
            certificateEnds: Samples.after(86400 * 30), revoked: nil)
        first.agentVersion = "0.1.0"
        first.clockSkew = Milliseconds(-12)
        first.facts = ["arch": "x86_64"]
        first.metrics = ["load1": 0.25, "memory_bytes": 1_048_576]
        first.heldBy = RolloutID("registry-2-7f3a")
        var second = OperatorAPI.HostView(
            id: Samples.host("b-1"), labels: [:], connected: false,
            certificateEnds: Samples.after(86400), revoked: "stolen")
        second.lastSeen = Samples.after(-7200)
        var third = OperatorAPI.HostView(
            id: Samples.host("c-1"), labels: [:], connected: true,
            certificateEnds: Samples.after(86400), revoked: nil)
        third.troubles = [
            HostTrouble(
                kind: "point_damaged", subject: "20261124T230501Z-1",
                text: "1 object is damaged; repair it or make a new point", since: Samples.begin),
            HostTrouble(
                kind: "half_restored", subject: "20261124T230501Z-2", text: "settings: no space",
                since: Samples.after(5)),
        ]
        return [first, second, third]
    }

    private var point: PointSummary {
        PointSummary(
            id: PointID("20261124T230501Z-1")!, at: Samples.begin, reason: "before migration",
            rollout: RolloutID("registry-2-7f3a"),
            components: [
                PointComponent(
                    name: ComponentName("release")!, driver: "files", entries: 120,
                    bytes: ByteCount(5_242_880))
            ], digest: Samples.digest)
    }
}

/// Golden files beside the tests; `BELAY_REWRITE=1` writes them anew, to be reviewed as a diff.
enum Golden {
    static func hold(_ lines: [String], _ name: String) throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Golden")
        let file = folder.appendingPathComponent(name + ".txt")
        let text = lines.joined(separator: "\n") + "\n"
        if ProcessInfo.processInfo.environment["BELAY_REWRITE"] == "1" {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        let kept = try String(contentsOf: file, encoding: .utf8)
        #expect(text == kept, "differs from \(file.path); BELAY_REWRITE=1 writes it anew")
    }
}
