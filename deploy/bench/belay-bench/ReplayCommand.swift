import ArgumentParser
import Glibc

/// `belay-bench replay`: how long a coordinator takes to start over a long journal.
struct ReplayCommand: MeasuringCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Times starts over a long journal; prints a table and writes replay.json.")

    @Option(help: "Where everything is made, and replay.json is left.")
    var directory = ".build/bench"
    @Option(help: "Events of the rollout that is replayed.")
    var events = 100_000
    @Option(help: "Hosts of that rollout.")
    var hosts = 1000
    @Flag(help: "A tenth of the events and three runs, for trying.")
    var quick = false
    @Option(help: "How often each start is timed; 5, with --quick 3.")
    var runs: Int?

    func validate() throws {
        guard (1000...1_000_000).contains(events), (10...100_000).contains(hosts) else {
            throw ValidationError("--events is 1000 to 1000000, --hosts 10 to 100000")
        }
        guard runs.map({ (1...99).contains($0) }) ?? true else {
            throw ValidationError("--runs is 1 to 99")
        }
    }

    func measure() throws {
        let directory = Folder.absolute(directory)
        let work = try WorkDirectory(in: directory)
        defer {
            do { try work.clear() } catch { Narrator.say("\(error)") }
        }
        let bench = ReplayBench(
            work: work, events: quick ? events / 10 : events, hosts: hosts,
            rounds: runs ?? (quick ? 3 : 5))
        let runner = bench.runner
        let version = try runner.succeed([bench.coordinator, "--version"])
        let report = Report(
            rows: try bench.rows(),
            versions: ["belay-coordinator": version.split(separator: "\n").joined()],
            commit: MachineFacts.commit(runner: runner),
            machine: MachineFacts.describe(directory, disk: nil), at: MachineFacts.now())
        let file = "\(directory)/replay.json"
        try TextFile.write(report.json(), to: file)
        report.tell(writtenTo: file)
    }
}
