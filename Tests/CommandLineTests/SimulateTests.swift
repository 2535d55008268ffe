import ArgumentParser
import FleetSimulation
import FleetWire
import RolloutCore
import RolloutPlan
import Testing

@testable import belay

@Suite("belay simulate")
struct SimulateTests {
    private func command(_ line: String...) throws -> SimulateCommand {
        try #require(try Belay.parseAsRoot(["simulate"] + line) as? SimulateCommand)
    }

    @Test(
        "what would be ignored is refused",
        arguments: [
            "", "p.yaml --random", "--random --hosts 5", "p.yaml --replay 1 --seeds 2",
            "p.yaml --replay 1 --from 2", "p.yaml --picture p.svg", "p.yaml --hosts 0",
            "p.yaml --seeds 0", "p.yaml --faults crash,,disk", "p.yaml --faults nonsense",
        ])
    func refused(line: String) {
        let words = line.split(separator: " ").map(String.init)
        #expect(throws: (any Error).self) { try Belay.parseAsRoot(["simulate"] + words) }
    }

    @Test("the command that replays a run can be pasted into a shell")
    func replayIsQuoted() throws {
        #expect(
            try command("p.yaml", "--hosts", "7").again
                == "belay simulate p.yaml --hosts 7 --replay")
        #expect(
            try command("my plan's.yaml", "--faults", "crash,slow").again
                == #"belay simulate 'my plan'\''s.yaml' --hosts 50 --faults crash,slow --replay"#)
        #expect(try command("--random").again == "belay simulate --random --replay")
        #expect(
            try command("--", "-p.yaml").again == "belay simulate ./-p.yaml --hosts 50 --replay")
        #expect(ShellWord.quote("") == "''")
    }

    @Test("a plan's own percentages are what the world counts by")
    func planIsDeclared() throws {
        let plan = RandomPlan.make(seed: 1).declared
        let setup = try command("p.yaml", "--hosts", "9").makeSetup(of: plan)
        #expect(setup.declared == plan)
        #expect(setup.plan.hosts.count == 9)
    }

    private func result(
        _ seed: UInt64, linesMax: Int? = nil, faults: Set<SimulatedFault> = []
    ) -> RunResult {
        var setup = SimulatedRun.Setup.random(seed: seed, faults: faults, isRecorded: true)
        setup.isDrawn = true
        if let linesMax { setup.linesMax = linesMax }
        var run = SimulatedRun(setup, seed: seed)
        return run.run()
    }

    @Test("lines that a replay leaves out are counted for the reader")
    func linesLeftOut() {
        let whole = result(3)
        let part = result(3, linesMax: 10)
        #expect(part.trace == Array(whole.trace.prefix(10)))
        #expect(part.linesLeftOut == whole.trace.count - 10)
        let lines = SimulationText.lines(of: part, style: .plain)
        #expect(lines[10] == "… \(part.linesLeftOut) more lines left out")
        #expect(SimulationText.lines(of: whole, style: .plain).count == whole.trace.count + 1)
    }

    @Test("the summary shows bars, the limit of the worst moment, and spreads")
    func summary() {
        var summary = RunSummary()
        for seed in UInt64(0)..<3 { summary.add(result(seed)) }
        summary.finish()
        let lines = SimulationText(summary: summary, again: "again", style: .plain).lines()
        #expect(lines[2].hasPrefix("  succeeded     3  100.0 %  ━━━━"), "\(lines[2])")
        #expect(
            lines.contains { $0.contains("down at once, at most ") && $0.contains("allowed, seed") }
        )
        #expect(lines.contains { $0.hasPrefix("  time to complete      median ") })
    }

    @Test("a picture has a row for each host, its states, and when its service was down")
    func picture() throws {
        let result = result(3)
        let timeline = try #require(result.timeline)
        let svg = SimulationPicture(timeline, seed: 3, state: result.state).svg()
        for row in timeline.rows {
            #expect(svg.contains(">\(row.host.rawValue)</text>"))
            #expect(svg.contains("<title>\(row.host.rawValue): migrating, "))
            #expect(svg.contains("<title>\(row.host.rawValue): down, "))
            #expect(row.states.last?.what == .committed)
        }
        #expect(svg.contains(">committed</text>"))
        #expect(!svg.contains(">failed</text>"))
    }

    @Test("a picture escapes what a host is called")
    func pictureEscapes() throws {
        var timeline = try #require(result(3).timeline)
        timeline.rows[0].host = HostID(unchecked: "a<b>&\"")
        let svg = SimulationPicture(timeline, seed: 3, state: .succeeded).svg()
        #expect(svg.contains(">a&lt;b&gt;&amp;&quot;</text>"))
        #expect(!svg.contains("a<b>"))
    }
}
