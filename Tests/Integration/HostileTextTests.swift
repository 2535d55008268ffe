import OperatorAPI
import FleetWire
import Foundation
import RolloutCore
import Testing

@Suite("Texts from hosts that try to steer terminals, logs and reports", .serialized)
struct HostileTextTests {
    @Test(
        "A step's output, name of a plan and reason reach nobody's terminal as control characters")
    func steering() async throws {
        try await withFleet(["a1"]) { fleet in
            var plan = TestPlan(name: "hostile")
            plan.checks = [
                "{name: there, timeout: 5s, run: {shell: 'test -f $BELAY_ROOT/opt/app/release'}}"
            ]
            plan.extraSteps = [
                #"""
                {name: "evil", timeout: 9s, run: {shell: "printf '\\033]0;owned\\007<script>x</script>\\r\\n2026-01-01T00:00:00+0000 notice forged\\n'; exit 1"}}
                """#
            ]
            let applied = try await fleet.belay(
                "apply", try fleet.plan(plan.yaml), "--auto-approve")
            let id = try #require(try await fleet.rollouts().first?.id.rawValue)
            let reason = "a\u{1B}[2J\u{7}b\r\n23:59:59Z  a1  is committed"
            let back = try await fleet.belay("rollback", id, "--reason", reason)
            var told = [applied.out, applied.err, back.out, back.err]
            for arguments in [
                ["rollout", "show", id], ["rollout", "history", id], ["rollout", "why", id],
                ["rollout", "report", id], ["rollout", "report", id, "--format", "html"],
                ["host", "show", "a1"], ["events"],
            ] {
                let output = try await fleet.belay(arguments)
                #expect(output.status == 0, "\(arguments): \(output.summary)")
                told += [output.out, output.err]
            }
            told += [fleet.tail("coordinator"), fleet.tail("a1")]
            for text in told {
                #expect(
                    !text.contains { "\u{1B}\u{7}\u{8}".contains($0) }, "\(text.debugDescription)")
                let open = Self.outsideFences(text)
                #expect(!open.contains { $0.contains("<script>") })
                let forged = open.contains {
                    $0.hasPrefix("2026-01-01T00:00:00") || $0.hasPrefix("23:59:59Z  a1")
                }
                // In HTML a line feed within a cell begins no line of the report.
                #expect(!forged || text.hasPrefix("<!DOCTYPE"), "\(text)")
            }
        }
    }

    /// The lines of a text without its fenced blocks, in which nothing has a meaning. A fence ends
    /// only at a line of as many backticks, so that output cannot end it by itself.
    private static func outsideFences(_ text: String) -> [Substring] {
        var lines: [Substring] = []
        var fence: Substring?
        for line in text.split(whereSeparator: \.isNewline) {
            let ticks = line.prefix { $0 == "`" }
            if let inside = fence {
                if line == inside { fence = nil }
            } else if ticks.count >= 3 {
                fence = ticks
            } else {
                lines.append(line)
            }
        }
        return lines
    }
}
