import Foundation
import Testing

@testable import belay_bench

@Suite("The table and the file of a benchmark")
struct ReportTests {
    private static let faster = ReportRow(
        "A: first capture", unit: "s", ours: Quantiles([1, 2, 3]), peer: Quantiles([6, 7, 8]),
        peerName: "restic", rule: .shareOfPeer(1.0 / 3), oursCommand: "belay-agent point create",
        peerCommand: "restic backup")
    private static let slower = ReportRow(
        "A: whole restore", unit: "s", ours: Quantiles([2]), peer: Quantiles([1]),
        peerName: "cp -a", rule: .shareOfPeer(1), othersShare: 0.4)
    private static let alone = ReportRow(
        "C: first capture", unit: "s", ours: Quantiles([5]), peerName: "borg",
        rule: .shareOfPeer(0.5))
    private static let limited = ReportRow(
        "C: stored", unit: "%", ours: Quantiles([5]), peer: Quantiles([1]), peerName: "restic",
        rule: .most(5))

    private func report(_ rows: [ReportRow]) -> Report {
        Report(
            rows: rows, versions: ["restic": "restic 0.14.0"], commit: "abc", machine: "a machine",
            at: "2026-01-01T00:00:00Z")
    }

    @Test("A target is a share of the peer's median or a limit, and holds up to it")
    func targets() {
        #expect(abs((Self.faster.target ?? 0) - 7.0 / 3) < 1e-9)
        #expect(Self.faster.holds == true)
        #expect(Self.slower.holds == false)
        #expect(Self.limited.holds == true)
    }

    @Test("Without a peer's number, or ours, nothing is said to hold")
    func unmeasured() {
        #expect(Self.alone.target == nil)
        #expect(Self.alone.holds == nil)
        let ours = ReportRow("x", unit: "s", ours: nil, rule: .most(5))
        #expect(ours.target == 5)
        #expect(ours.holds == nil)
    }

    @Test("The file is an array of objects with every key, null where nothing was measured")
    func file() throws {
        let text = try report([Self.faster, Self.alone]).json()
        let array = try #require(
            try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]])
        #expect(array.count == 2)
        let keys: Set<String> = [
            "what", "unit", "ours", "ours_min", "ours_max", "peer", "peer_min", "peer_max",
            "peer_name", "target", "target_rule", "holds", "runs", "ours_command", "peer_command",
            "versions", "commit", "machine", "at", "note", "others_cpu_share",
        ]
        for object in array { #expect(Set(object.keys) == keys) }
        let first = array[0]
        #expect(first["ours"] as? Double == 2)
        #expect(first["ours_min"] as? Double == 1)
        #expect(first["ours_max"] as? Double == 3)
        #expect(first["peer"] as? Double == 7)
        #expect(first["runs"] as? Int == 3)
        #expect(first["holds"] as? Bool == true)
        #expect(first["target_rule"] as? String == "≤ 1/3 of restic")
        #expect(first["versions"] as? [String: String] == ["restic": "restic 0.14.0"])
        for key in ["peer", "peer_min", "target", "holds"] { #expect(array[1][key] is NSNull) }
    }

    @Test("The table is Markdown whose columns stand under each other; loaded rows are marked")
    func table() {
        let lines = report([Self.faster, Self.slower, Self.alone]).table()
            .split(separator: "\n").map(String.init)
        #expect(lines.count == 5)
        #expect(Set(lines.map(\.count)).count == 1)
        for line in lines { #expect(line.count { $0 == "|" } == 9) }
        #expect(lines[2].contains("2.00 (1.00–3.00)"))
        #expect(lines[2].contains("| 0.29 "))
        #expect(lines[2].contains("| yes "))
        #expect(lines[3].contains("A: whole restore \\*"))
        #expect(lines[3].contains("| NO "))
        #expect(lines[4].contains("not measured"))
    }

    @Test("Each command that was timed is listed once")
    func commands() {
        let text = report([Self.faster, Self.faster]).commands()
        #expect(
            text == "- A: first capture: `belay-agent point create`\n"
                + "- A: first capture: `restic backup`")
    }
}
