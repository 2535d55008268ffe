import ArgumentParser
import FleetSimulation
import FleetWire
import RolloutPlan

/// `belay simulate`.
struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Run a plan many times in a simulated world that crashes, cuts and slows.",
        discussion: """
            The decisions are those of the real coordinator and agents; the network, the disks and \
            the hosts are simulated. Needs no coordinator and touches nothing. Ends with 1 if a run \
            broke a promise.
            """)

    @Argument(help: "The plan, a YAML file.", completion: .file(extensions: ["yaml", "yml"]))
    var file: String?
    @Flag(help: "Small random plans instead of a file, another one for each seed.")
    var random = false
    @Option(help: "Hosts of the simulated fleet, 1 to 100000; 50 unless given.")
    var hosts: Int?
    @Option(help: "Runs, 1 to 10000000; 200 unless given.")
    var seeds: Int?
    @Option(help: "The first seed; 0 unless given.")
    var from: UInt64?
    @Option(help: "Faults, by commas: \(SimulateCommand.faultNames); `all` or `none`.")
    var faults = "all"
    @Option(help: "Run this seed only and print every line of it.")
    var replay: UInt64?
    @Option(
        help: "Draw the run of --replay into this SVG file: hosts by time, coloured by state.",
        completion: .file(extensions: ["svg"]))
    var picture: String?
    @OptionGroup var output: OutputOptions

    private static var faultNames: String {
        SimulatedFault.allCases.map(\.rawValue).joined(separator: ", ")
    }

    func validate() throws {
        guard (file == nil) == random else {
            throw ValidationError("give either a PLAN or --random")
        }
        if random, hosts != nil {
            throw ValidationError("--random makes its own hosts, so --hosts cannot be given")
        }
        if replay != nil, seeds != nil || from != nil {
            throw ValidationError("--replay runs one seed, so --seeds and --from cannot be given")
        }
        if picture != nil, replay == nil {
            throw ValidationError("--picture draws one run: give its seed with --replay")
        }
        guard (1...100_000).contains(hostCount) else {
            throw ValidationError("--hosts takes 1 to 100000")
        }
        guard (1...10_000_000).contains(runCount) else {
            throw ValidationError("--seeds takes 1 to 10000000")
        }
        guard firstSeed <= .max - 10_000_000 else {
            throw ValidationError("--from takes 0 to \(UInt64.max - 10_000_000)")
        }
        _ = try chosenFaults()
    }

    private var hostCount: Int { hosts ?? 50 }
    private var runCount: Int { seeds ?? 200 }
    private var firstSeed: UInt64 { from ?? 0 }

    private func chosenFaults() throws -> Set<SimulatedFault> {
        if faults == "all" { return Set(SimulatedFault.allCases) }
        if faults == "none" { return [] }
        return Set(
            try faults.split(separator: ",", omittingEmptySubsequences: false).map {
                guard let fault = SimulatedFault(rawValue: String($0)) else {
                    throw ValidationError(
                        "--faults: there is no fault `\($0)`; there are \(Self.faultNames)")
                }
                return fault
            })
    }

    func run() async throws {
        let plan = try file.map { try PlanFile.load($0).plan }
        if let replay { return try show(try self.replay(replay, of: plan)) }
        let faults = try chosenFaults()
        let planned = try plan.map { try makeSetup(of: $0) }
        let summary = await runAll { planned ?? .random(seed: $0, faults: faults) }
        try output.show(summary) { _, style in
            SimulationText(summary: summary, again: again, style: style).lines()
        }
        if !summary.broken.isEmpty { throw EndWith(status: .error) }
    }

    /// The plan held against the simulated fleet, with its own percentages.
    func makeSetup(of plan: Plan) throws -> SimulatedRun.Setup {
        let fleet = SimulatedFleet.make(for: plan, count: hostCount)
        var setup = SimulatedRun.Setup(
            plan: try plan.resolve(against: fleet), declared: plan, faults: try chosenFaults())
        setup.isAttended = true
        return setup
    }

    private func replay(_ seed: UInt64, of plan: Plan?) throws -> RunResult {
        var setup = SimulatedRun.Setup.random(seed: seed, faults: try chosenFaults())
        if let plan { setup = try makeSetup(of: plan) }
        setup.isRecorded = true
        setup.isDrawn = picture != nil
        let count = setup.plan.hosts.count
        if picture != nil, count > SimulationPicture.hostsMax {
            throw CommandFailure(
                .invalid, "a picture of \(count) hosts cannot be drawn",
                remedy: "give --hosts \(SimulationPicture.hostsMax) or fewer")
        }
        var run = SimulatedRun(setup, seed: seed)
        return run.run()
    }

    private func show(_ result: RunResult) throws {
        if let picture, let timeline = result.timeline {
            let drawn = SimulationPicture(timeline, seed: result.seed, state: result.state)
            try WholeFile.write(Array(drawn.svg().utf8), to: picture, option: "--picture")
        }
        try output.show(result) { _, style in SimulationText.lines(of: result, style: style) }
        if !result.broken.isEmpty { throw EndWith(status: .error) }
    }

    /// Two runs at once; the results are added in the order of seeds, so that the same seeds give
    /// the same summary.
    private func runAll(
        _ setup: @escaping @Sendable (UInt64) -> SimulatedRun.Setup
    ) async -> RunSummary {
        var summary = RunSummary()
        let block = 50
        let last = firstSeed + UInt64(runCount)
        var starts = Array(stride(from: firstSeed, to: last, by: Int(block)))[...]
        await withTaskGroup(of: (UInt64, [RunResult]).self) { group in
            func startNext() {
                guard let start = starts.popFirst() else { return }
                group.addTask {
                    let results = (start..<min(last, start + UInt64(block))).map { seed in
                        var run = SimulatedRun(setup(seed), seed: seed)
                        return run.run()
                    }
                    return (start, results)
                }
            }
            startNext()
            startNext()
            var early: [UInt64: [RunResult]] = [:]
            var next = firstSeed
            while let (start, results) = await group.next() {
                startNext()
                early[start] = results
                while let ready = early.removeValue(forKey: next) {
                    for result in ready { summary.add(result) }
                    next += UInt64(block)
                    tellProgress(summary)
                }
            }
        }
        if Console.error.isTerminal { Console.error.write("\r\u{1B}[K") }
        summary.finish()
        return summary
    }

    private func tellProgress(_ summary: RunSummary) {
        let style = Console.error.style
        let text =
            "\(summary.runs) of \(runCount) runs, \(summary.broken.count) broke a promise"
        if Console.error.isTerminal {
            let bar = ProgressBar.text(
                done: summary.runs, total: runCount, columns: 30, style: style,
                role: summary.broken.isEmpty ? .good : .bad)
            Console.error.write("\r\(bar) \(text)")
        } else if summary.runs % 5000 == 0 {
            Console.error.line(text)
        }
    }

    /// The command that runs one seed again, but for the seed.
    var again: String {
        var words = ["belay", "simulate"]
        if let file {
            // A word that begins with a dash would be an option.
            let path = file.hasPrefix("-") ? "./\(file)" : file
            words += [ShellWord.quote(path), "--hosts", "\(hostCount)"]
        } else {
            words.append("--random")
        }
        if faults != "all" { words += ["--faults", ShellWord.quote(faults)] }
        return (words + ["--replay"]).joined(separator: " ")
    }
}
