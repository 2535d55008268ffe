import FleetWire
import RolloutCore
import Testing

/// Every command in every state: what is taken and what is refused.
@Suite struct RefusalTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let state: RolloutState
        let script: [String]
        let taken: Set<String>
        var testDescription: String { state.rawValue }
    }

    static let prepared = ["start", "settle only=prepare", "settle only=validate"]

    static let rows: [Row] = [
        Row(state: .planned, script: [], taken: []),
        Row(
            state: .awaitingApproval, script: ["set approval=yes", "start"],
            taken: ["approve", "reject", "abort", "skip", "rollback"]),
        Row(
            state: .running, script: prepared,
            taken: ["pause", "abort", "skip", "rollback"]),
        Row(
            state: .paused, script: prepared + ["command pause"],
            taken: ["resume", "abort", "skip", "rollback"]),
        Row(state: .succeeded, script: ["start", "settle"], taken: ["rollback"]),
        Row(
            state: .rollingBack, script: prepared + ["command rollback"],
            taken: ["rollback --fast"]),
        Row(
            state: .rolledBack, script: prepared + ["command rollback", "settle"], taken: []),
        Row(
            state: .rollbackFailed,
            script: prepared + [
                "command rollback", "report a1 rollback_failed failure=disk_full", "settle",
            ], taken: ["rollback"]),
        Row(
            state: .aborted, script: prepared + ["settle a1", "command abort", "settle"],
            taken: ["rollback"]),
    ]

    static let commands: [(String, OperatorCommand)] = [
        ("approve", .approve), ("reject", .reject), ("pause", .pause), ("resume", .resume),
        ("promote", .promote),
        ("abort", .abort), ("retry", .retry(hosts: [])),
        ("skip", .skip(host: HostID(unchecked: "b1"))),
        ("rollback", .rollback(RollbackSelection(hosts: .all))),
    ]

    @Test(arguments: rows)
    func `A state takes what it can and refuses the rest with words`(row: Row) {
        var run = TranscriptRun()
        run.run("wave one a1")
        run.run("wave two b1")
        for line in row.script { run.run(line) }
        #expect((run.machine.view(now: run.now)?.state ?? .planned) == row.state)
        for (name, command) in Self.commands {
            let refusal = run.machine.refusal(of: command, by: "ada", reason: "test")
            #expect((refusal == nil) == row.taken.contains(name), "\(name): \(refusal ?? "taken")")
            if let refusal { #expect(refusal.count > 10) }
        }
        let fast = OperatorCommand.rollback(RollbackSelection(hosts: .all, fast: true))
        #expect(
            (run.machine.refusal(of: fast, by: "ada", reason: "test") == nil)
                == !row.taken.isDisjoint(with: ["rollback", "rollback --fast"]))
    }

    @Test func `All states of a rollout stand in the table`() {
        #expect(Set(Self.rows.map(\.state)) == Set(RolloutState.allCases))
    }

    @Test(arguments: rows)
    func `A refused command moves nothing even if it is handed in`(row: Row) {
        var run = TranscriptRun()
        run.run("wave one a1")
        run.run("wave two b1")
        for line in row.script { run.run(line) }
        let before = run.machine.view(now: run.now)?.hosts
        for (_, command) in Self.commands
        where run.machine.refusal(of: command, by: "ada", reason: "test") != nil {
            let effects = run.machine.handle(
                .command(command, by: "ada", reason: "test", at: run.now))
            for case .order(let host, _) in effects { Issue.record("an order for \(host)") }
        }
        #expect(run.machine.view(now: run.now)?.hosts == before)
        #expect((run.machine.view(now: run.now)?.state ?? .planned) == row.state)
    }

    @Test func `Events before the first are ignored`() {
        var machine = RolloutMachine()
        #expect(machine.handle(.ticked(at: Scenario.start)).isEmpty)
        #expect(
            machine.handle(.connected(HostID(unchecked: "a1"), nil, at: Scenario.start)).isEmpty)
        #expect(machine.view(now: Scenario.start) == nil)
        #expect(machine.heldHosts.isEmpty)
    }

    @Test func `Hosts are held until the rollout has ended`() {
        var run = TranscriptRun()
        run.run("wave one a1 b1")
        run.run("start")
        #expect(run.machine.heldHosts.map(\.rawValue) == ["a1", "b1"])
        run.run("command skip b1 reason=broken")
        run.run("settle")
        #expect(run.machine.isFinished)
        #expect(run.machine.heldHosts.isEmpty)
    }
}
