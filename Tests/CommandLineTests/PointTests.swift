import FleetWire
import NIOHTTP1
import OperatorAPI
import Testing

@testable import belay

@Suite("Points over the fleet, as operators read them")
struct PointTests {
    private static func component(_ name: String) -> ComponentName { ComponentName(name)! }

    private static func point(_ host: String, name: String? = nil) -> PointSummary {
        PointSummary(
            id: PointID("20261124T230501Z-\(host)")!, at: Samples.begin,
            reason: name == nil ? "before migration" : "kernel update",
            rollout: name == nil ? RolloutID("registry-2-7f3a") : nil,
            components: [
                PointComponent(
                    name: component("release"), driver: "files", entries: 120,
                    bytes: ByteCount(5_242_880)),
                PointComponent(
                    name: component("settings"), driver: "config", entries: 1, bytes: ByteCount(48),
                    notes: ["/etc/app.conf holds what looks like a secret in clear"]),
            ], digest: Samples.digest, name: name)
    }

    private static func answer(_ host: String, _ reply: PointReply) -> PointAnswer {
        PointAnswer(host: Samples.host(host), hosts: 4, reply: reply)
    }

    private static func failure(
        _ host: String, _ code: String, _ message: String, _ remedy: String? = nil
    ) -> PointAnswer {
        PointAnswer(
            host: Samples.host(host), hosts: 4,
            failure: APIFailure(code: code, message: message, remedy: remedy))
    }

    private static var away: PointAnswer {
        failure(
            "c-1", "unreachable", "its agent is not connected; last seen 2026-11-24 22:00:00Z",
            "look at its log; on the host: `belay-agent run`")
    }

    private static var lists: [PointAnswer] {
        var old = point("a-1")
        old.inUse = "last good"
        var bad = point("b-1", name: "before-upgrade")
        bad.isDamaged = true
        return [
            answer("a-1", PointReply(points: [old, point("a-1", name: "before-upgrade")])),
            answer("b-1", PointReply(points: [bad])), away,
        ]
    }

    private static func changes(_ host: String, more: Int? = nil) -> PointAnswer {
        var reply = PointReply(points: [point(host, name: "before-upgrade")])
        reply.changes = [
            HostChange(
                component: component("release"), path: "/opt/app/added", change: .added,
                detail: "file, 12 B"),
            HostChange(
                component: component("release"), path: "/opt/app/release", change: .content,
                detail: "2 B → 3 B"),
            HostChange(
                component: component("settings"), path: "/etc/app.conf", change: .metadata,
                detail: "mode 0644 → 0600"),
        ]
        reply.more = more
        return answer(host, reply)
    }

    private static func restored(_ host: String) -> PointAnswer {
        var reply = PointReply(points: [point(host, name: "before-upgrade")])
        reply.restore = RestoreReply(
            point: reply.points[0].id, before: PointID("20261125T080000Z-\(host)"),
            components: [component("release")], changed: 3, removed: 1, took: Milliseconds(1240))
        return answer(host, reply)
    }

    @Test("lists, one point in full, and what verify found")
    func reads() throws {
        var whole = PointReply(points: [Self.point("a-1")])
        whole.damaged = []
        var bad = PointReply(points: [Self.point("b-1")])
        bad.damaged = ["release: /opt/app/data: 3 objects do not match"]
        bad.more = 2
        let unknown = PointReply(points: [])
        var shown = PointReply(points: [Self.point("a-1")])
        shown.entries = ["drwxr-xr-x 0:0 0 /opt/app", "-rw-r--r-- 0:0 2 /opt/app/release"]
        shown.more = 118
        let style = Style.plain
        var lines = PointText.list(Self.lists, isWide: false, style: style)
        lines += [""] + PointText.list(Self.lists, isWide: true, style: style)
        lines += [""] + PointText.show([Self.answer("a-1", shown), Self.away], style: style)
        lines += [""]
        lines += PointText.verify(
            [Self.answer("a-1", whole), Self.answer("b-1", bad), Self.answer("c-1", unknown)],
            isDeep: true, style: style)
        try Golden.hold(lines, "points")
    }

    @Test("differences as lines of one host and as counts of many")
    func differences() throws {
        let style = Style.plain
        let many = [Self.changes("a-1"), Self.changes("b-1", more: 7), Self.away]
        var lines = PointText.changes(
            [Self.changes("a-1", more: 2)], lists: true, past: "differs", style: style)
        lines += [""] + PointText.changes(many, lists: false, past: "differs", style: style)
        var same = PointReply(points: [Self.point("a-1")])
        same.changes = []
        lines += [""]
        lines += PointText.changes(
            [Self.answer("a-1", same)], lists: true, past: "would change", style: style)
        try Golden.hold(lines, "point-changes")
    }

    @Test("orders: what is told as it comes, what stands at the end, and why hosts failed")
    func orders() throws {
        let style = Style.plain
        var made = PointReply(points: [Self.point("a-1", name: "before-upgrade")])
        var pruned = PointReply(points: [])
        pruned.prune = PruneReply(
            removed: [PointID("p-1")!, PointID("p-2")!], kept: 3, freed: ByteCount(1 << 20))
        var repaired = PointReply(points: [])
        repaired.scrub = ScrubReply(
            objects: 9, bytes: ByteCount(9), damagedPoints: [], repaired: 2, took: Milliseconds(3))
        repaired.damaged = ["release: /opt/app/gone"]
        let failed = Self.failure("b-1", "failed", "no space on /var", "free 2 GiB")
        let idle = Self.failure("c-1", "not_started", "nothing was asked of it: b-1 failed")
        let alike = Self.failure("d-1", "failed", "no space on /var", "free 2 GiB")
        let told = [
            Self.answer("a-1", made), Self.restored("a-1"), Self.answer("a-1", pruned),
            Self.answer("a-1", repaired), failed, idle,
        ]
        var lines = told.map { PointText.line($0, style: style) }
        lines += [""] + PointText.restored([Self.restored("a-1"), failed], style: style)
        lines += [""] + PointText.pruned([Self.answer("a-1", pruned)], isWide: true, style: style)
        lines += [""] + PointText.repaired([Self.answer("a-1", repaired)], style: style)
        lines += [""] + PointText.failures([failed, idle, alike, Self.away], style: style)
        try Golden.hold(lines, "point-orders")
        made.points = []
        #expect(PointText.line(Self.answer("a-1", made), style: style) == "a-1  made  ")
    }

    @Test(
        "the exit code says what happened",
        arguments: [
            ([], ExitStatus.done), (["unreachable"], .unreachable), (["not_found"], .notFound),
            (["busy"], .conflict), (["exists"], .conflict), (["failed"], .hostsFailed),
            (["outcome_unknown"], .hostsFailed), (["invalid"], .invalid),
            (["unreachable", "unreachable"], .unreachable),
            (["unreachable", "not_found"], .hostsFailed),
            (["unreachable", "not_started"], .unreachable), (["damaged"], .gateFailed),
            (["damaged", "unreachable"], .gateFailed),
            (["half_restored", "damaged"], .rollbackFailed),
            (["made-up"], .hostsFailed),
        ])
    func status(codes: [String], status: ExitStatus) {
        let failed = codes.map { Self.failure("b-1", $0, "why") }
        #expect(ExitStatus(outcomeOf: [Self.restored("a-1")] + failed) == status)
    }

    @Test("damage in a reply is 6")
    func damage() {
        var bad = PointReply(points: [])
        bad.damaged = ["/x"]
        #expect(ExitStatus(outcomeOf: [Self.answer("a-1", bad)]) == .gateFailed)
    }

    // MARK: - The client

    private func client<Result>(
        _ port: Int, _ body: (APIClient) async throws -> Result
    ) async throws -> Result {
        try await APIClient.with(
            ClientConfiguration(
                address: "http://127.0.0.1:\(port)", token: "belay_t_s", authority: nil),
            silence: Milliseconds(500), body)
    }

    private func lines(_ answers: [PointAnswer]) throws -> [UInt8] {
        try answers.flatMap { [10, 10] + (try WireJSON.encode($0)) + [10] }
    }

    private var list: FleetPointRequest {
        FleetPointRequest(
            selection: HostSelection(selector: nil), request: PointRequest(action: .list))
    }

    @Test("answers are read a line each, empty ones left out, and pages are asked for")
    func stream() async throws {
        let first = try lines([Self.changes("a-1", more: 2)])
        let second = try lines([Self.changes("a-1", more: 0)])
        let server = try await LoopbackServer { _, number in
            .init(body: number == 1 ? first : second)
        }
        let answer = try await client(server.port) { client in
            var answers: [PointAnswer] = []
            try await client.answers("/v1/points/query", self.list, to: "try") {
                answers.append($0)
            }
            try await client.rest(of: &answers[0], self.list, "/v1/points/query", to: "try")
            return answers[0]
        }
        #expect(answer.reply?.changes?.count == 6)
        #expect(answer.reply?.more == 0)
        let page = try WireJSON.decode(FleetPointRequest.self, from: server.asked[1].body)
        #expect(page.request.skip == 3 && page.selection.hosts == [Samples.host("a-1")])
        try await server.stop()
    }

    @Test("a refusal, silence and an answer that is none are told apart")
    func failures() async throws {
        let refusal = try WireJSON.encode(
            APIFailure(code: "conflict", message: "rollout r-1 holds a-1"))
        let server = try await LoopbackServer { _, number in
            switch number {
            case 1: .init(status: .conflict, body: refusal)
            case 2: .init(body: Array("{}\n".utf8))
            default: .init(isSilent: true)
            }
        }
        for expected in [ExitStatus.conflict, .error, .timedOut] {
            do {
                try await client(server.port) {
                    try await $0.answers("/v1/points", self.list, to: "try") { (_: PointAnswer) in }
                }
                Issue.record("that went through")
            } catch let failure as CommandFailure {
                #expect(failure.status == expected, "\(failure)")
            }
        }
        try await server.stop()
    }
}
