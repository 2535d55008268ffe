import ArgumentParser
import Glibc

/// `belay-bench simulation`: what one simulated run costs, and how that grows with the fleet.
struct SimulationCommand: MeasuringCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulation",
        abstract: "Times `belay simulate`; prints a table and writes simulation.json.")

    @Option(help: "Where the plan is made, and simulation.json is left.")
    var directory = ".build/bench"
    @Option(help: "The program belay; the one beside this program unless given.")
    var belay: String?
    @Option(help: "How often each size below 100,000 hosts is timed.")
    var runs = 3

    func validate() throws {
        guard (1...99).contains(runs) else { throw ValidationError("--runs is 1 to 99") }
    }

    func measure() throws {
        let program = belay.map(Folder.absolute) ?? Programs.beside("belay")
        guard access(program, X_OK) == 0 else {
            throw BenchFailure("\(program) is missing: run `make bench-simulation`")
        }
        let directory = Folder.absolute(directory)
        let work = try WorkDirectory(in: directory)
        defer {
            do { try work.clear() } catch { Narrator.say("\(error)") }
        }
        let bench = SimulationBench(
            program: program, runner: ProgramRunner(logs: work.path),
            plan: "\(work.path)/plan.yaml",
            rounds: runs)
        var report = Report(
            versions: ["belay": try bench.version()],
            commit: MachineFacts.commit(runner: bench.runner),
            machine: MachineFacts.describe(directory, disk: nil), at: MachineFacts.now())
        report.rows = try bench.rows()
        let file = "\(directory)/simulation.json"
        try TextFile.write(report.json(), to: file)
        report.tell(writtenTo: file)
    }
}

/// Runs of one plan without faults, at three sizes of fleet.
struct SimulationBench {
    static let sizes = [1000, 10_000, 100_000]
    /// What a run of the largest fleet may take, in seconds.
    static let secondsMax = 30.0
    let program: String
    let runner: ProgramRunner
    let plan: String
    let rounds: Int

    func version() throws -> String {
        let said = try runner.succeed([program, "--version"])
        return said.split(separator: "\n").first.map(String.init) ?? ""
    }

    func rows() throws -> [ReportRow] {
        try TextFile.write(Self.planText, to: plan)
        var rows: [ReportRow] = []
        for size in Self.sizes { rows.append(try row(size)) }
        let medians = rows.compactMap { $0.ours?.median }
        if let growth = Self.exponent(medians, Self.sizes) {
            rows.append(
                ReportRow(
                    "exponent of the time, 10,000 to 100,000 hosts", unit: "",
                    ours: Quantiles([growth]), rule: .most(Self.exponentMax)))
        }
        return rows
    }

    private func row(_ size: Int) throws -> ReportRow {
        let isLargest = size == Self.sizes.last
        let command = ToolCommand(
            arguments: [
                program, "simulate", plan, "--hosts", "\(size)", "--seeds", "1", "--faults",
                "none", "-o", "json",
            ])
        var seconds: [Double] = []
        var (bytes, others) = (0, 0.0)
        for round in 0..<(isLargest ? 1 : rounds) {
            let run = try runner.run(command)
            guard run.code == 0 else { throw run.failure(of: command) }
            guard run.output.replacing(" ", with: "").contains("\"succeeded\":1") else {
                throw BenchFailure("a run of \(size) hosts did not succeed: \(run.output)")
            }
            seconds.append(run.seconds)
            bytes = max(bytes, run.residentBytes)
            others = max(others, run.othersShare)
            Narrator.say(
                "\(size) hosts, \(round + 1): \(Narrator.seconds(run.seconds)), "
                    + "\(run.residentBytes / 1_000_000) MB")
        }
        return ReportRow(
            "one run of \(size) hosts without faults", unit: "s", ours: Quantiles(seconds),
            rule: isLargest ? .most(Self.secondsMax) : .none,
            oursCommand: command.shown(below: plan.replacing("/plan.yaml", with: "")),
            othersShare: others, note: "\(bytes / 1_000_000) MB of memory at most")
    }

    /// That of n log n between the two largest sizes: log10(10 × 5 / 4).
    static let exponentMax = log10(12.5)

    /// How the time grows between the two largest sizes; nil unless all were measured.
    static func exponent(_ seconds: [Double], _ sizes: [Int]) -> Double? {
        guard seconds.count == sizes.count, sizes.count > 1, let last = seconds.last,
            let most = sizes.last
        else { return nil }
        let (before, fewer) = (seconds[seconds.count - 2], sizes[sizes.count - 2])
        guard before > 0, last > 0 else { return nil }
        return log(last / before) / log(Double(most) / Double(fewer))
    }

    /// Ten hosts first, then a tenth, three tenths, the rest; a hundred failure domains.
    static let planText: String = {
        let zones = (1...100).map { "z\($0)" }.joined(separator: ",")
        return """
            belay: 1
            name: plain
            targets: {selector: "zone in (\(zones))"}
            components:
              config: {config: {paths: [/etc/plain.yaml]}, restart: true}
            strategy:
              domain: zone
              max_parallel: 5%
              max_unavailable: 5%
              waves:
                - {name: canary, count: 10, soak: 10s}
                - {name: tenth, percent: 10, soak: 10s}
                - {name: thirty, percent: 30, soak: 10s}
            budget: {fleet: 0}
            rollback: {on_exhausted: rollback}
            confirm_within: 2m
            coordinator_lost: hold
            deadlines: {stage: 2h, migration: 30m, unreachable: 2m}
            stages:
              migration:
                steps:
                  - {name: change, run: {argv: [/bin/true]}}
              verification:
                checks:
                  - {name: health, http: {url: "http://127.0.0.1/healthz"}}

            """
    }()
}
