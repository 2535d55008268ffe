import FleetWire
import RolloutCore
import Testing

@testable import CoordinatorServer

@Suite("A report")
struct ReportTests {
    @Test("tells growth, the rehearsal, late hosts, and approvals with their end")
    func pace() throws {
        let report = RolloutReport(
            try Self.view(), history: [], now: Timestamp(milliseconds: 1_795_500_060_000))
        for text in [MarkdownReport(report).text, HTMLReport(report).text] {
            for words in [
                "Rehearsal", "passed on a1: went back, restored in 2s", "Late",
                "1 host (a2), which goes alone", "2 at once, 1 of 2 in a row, then 4",
                "Approvals of go, wave one", "ana at", "ticket 7", "expires",
            ] { #expect(text.contains(words), "\(words) is missing in \(text)") }
        }
    }

    @Test("tells who did and who waived each item of the checklist")
    func checklist() throws {
        var view = try Self.view()
        let list = """
            {"items":[{"id":"backup","category":"safety","description":"take <one>",
            "depends_on":[],"critical":true,"required":true,"state":"completed","revision":2,
            "attempt":1,"by":"bo","started_at":1795500000000,"ended_at":1795500030000},
            {"id":"announce","category":"people","description":"tell them","depends_on":[],
            "critical":false,"required":false,"state":"skipped","revision":1,"attempt":0,
            "by":"ana","reason":"nobody uses it","ended_at":1795500040000}],
            "progress":{"counts":{"completed":1,"skipped":1},"total":2,"percent":100,
            "critical_path":[],"remaining":0,"unestimated":[]},"open_critical":[]}
            """
        view.checklist = try WireJSON.decode(ChecklistView.self, from: Array(list.utf8))
        let report = RolloutReport(
            view, history: [], now: Timestamp(milliseconds: 1_795_500_060_000))
        for text in [MarkdownReport(report).text, HTMLReport(report).text] {
            for words in [
                "Checklist: 100 % of 2 items", "take &lt;one&gt;", "critical, required", "bo",
                "skipped", "nobody uses it",
            ] { #expect(text.contains(words), "\(words) is missing in \(text)") }
        }
    }

    private static func view() throws -> RolloutView {
        let begin = Timestamp(milliseconds: 1_795_500_000_000)
        let hosts = try ["a1", "a2"].map { try #require(HostID($0)) }
        var gate = RolloutView.GateView(name: "go", manual: true, verdict: nil, detail: "1 of 2")
        gate.persons = 2
        gate.approvalsHold = .seconds(600)
        gate.approvals = [Approval(by: "ana", at: begin, reason: "ticket 7")]
        var wave = RolloutView.WaveView(
            name: "one", state: .migrating, hosts: hosts, soakUntil: nil, gates: [gate])
        wave.growth = .init(atOnce: 2, inRow: 1, next: 4)
        let digest = try #require(Digest(String(repeating: "ab", count: 32)))
        var view = RolloutView(
            id: try #require(RolloutID("demo-1")), name: "demo", planDigest: digest, by: "ana",
            state: .running, reason: "wave one goes", createdAt: begin, endedAt: nil,
            waves: [wave],
            hosts: hosts.map {
                RolloutView.HostView(
                    id: $0, wave: "one", domain: "", state: .ready, since: begin, connected: true,
                    stepsTotal: 1)
            }, budgets: [], unavailable: 0, unavailableMax: 1, estimatedEnd: nil,
            why: WhyView(waitsFor: "it", since: begin, next: "it", nextAt: nil, hosts: []))
        view.late = .init(hosts: [hosts[1]], converges: true)
        view.rehearsal = .init(
            host: hosts[0], phase: "passed", detail: "went back", restoreTook: .seconds(2))
        return view
    }
}
