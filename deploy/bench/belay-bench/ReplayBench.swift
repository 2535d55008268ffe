import Glibc

/// Starts of `belay-coordinator` over the journal of one rollout that is under way: from the journal
/// alone, and from its checkpoint with the most events after it that a crash leaves.
struct ReplayBench {
    /// Events that a coordinator writes until it makes a checkpoint, less one.
    private static let afterCheckpoint = 499
    let work: WorkDirectory
    let events: Int
    let hosts: Int
    let rounds: Int
    let runner: ProgramRunner
    let coordinator = Programs.beside("belay-coordinator")
    private let writer = Programs.beside("bench-journal")

    init(work: WorkDirectory, events: Int, hosts: Int, rounds: Int) {
        (self.work, self.events, self.hosts, self.rounds) = (work, events, hosts, rounds)
        runner = ProgramRunner(logs: work.path)
    }

    private var state: String { "\(work.path)/state" }
    private var kept: String { "\(work.path)/kept" }

    private var start: ToolCommand {
        ToolCommand(arguments: [
            coordinator, "run", "--state", state, "--agents", "127.0.0.1:0", "--api",
            "127.0.0.1:0",
        ])
    }

    func rows() throws -> [ReportRow] {
        try makeJournal()
        let whole = try time("no checkpoint")
        // A stop in order leaves the checkpoint.
        try renew()
        _ = try begin().end(by: SIGTERM)
        try runner.succeed([
            writer, "--state", state, "--hosts", "\(hosts)", "--events",
            "\(Self.afterCheckpoint)", "--planned", "\(events)", "--more",
        ])
        try keep()
        let resumed = try time("from a checkpoint")
        return [
            row("start over \(events) events of a rollout, no checkpoint", whole, .most(2)),
            row(
                "start over \(events) events, \(Self.afterCheckpoint) after the checkpoint",
                resumed,
                .most(0.2)),
            memory(whole),
        ]
    }

    private func makeJournal() throws {
        Narrator.say("writing the journal of a rollout of \(events) events over \(hosts) hosts")
        try runner.succeed([coordinator, "init", "--state", state, "--name", "127.0.0.1"])
        try runner.succeed([
            writer, "--state", state, "--hosts", "\(hosts)", "--events", "\(events)",
        ])
        try keep()
    }

    private func begin() throws -> StartedProgram {
        try StartedProgram(start, until: "\(state)/coordinator.json", runner)
    }

    /// Each round starts over the same journal and is killed, so that it leaves no checkpoint.
    private func time(_ what: String) throws -> Series {
        var series = Series()
        for round in 1...rounds {
            try renew()
            try Stillness.wait()
            let run = try begin().end(by: SIGKILL)
            series.add(run, command: start.shown(below: work.path))
            Narrator.say(
                "\(what), \(round) of \(rounds): \(Narrator.seconds(run.seconds)), "
                    + "\(run.residentBytes / 1_000_000) MB")
        }
        return series
    }

    /// Keeps the state as it is now, to begin each round with.
    private func keep() throws {
        try Folder.remove(kept)
        try runner.succeed(["/bin/cp", "-a", state, kept])
    }

    private func renew() throws {
        try Folder.remove(state)
        try runner.succeed(["/bin/cp", "-a", kept, state])
    }

    private func row(_ what: String, _ series: Series, _ rule: TargetRule) -> ReportRow {
        ReportRow(
            what, unit: "s", ours: Quantiles(series.seconds), rule: rule,
            oursCommand: series.command, othersShare: series.othersShare)
    }

    private func memory(_ series: Series) -> ReportRow {
        ReportRow(
            "most memory of a start without checkpoint", unit: "MB",
            ours: Quantiles([Double(series.residentBytes) / 1_000_000]))
    }
}
