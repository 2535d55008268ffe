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
    @Option(help: "Hosts of the simulated fleet, 1 to 100000.")
    var hosts = 50
    @Option(help: "Runs, 1 to 10000000.")
    var seeds = 200
    @Option(help: "The first seed.")
    var from: UInt64 = 0
    @Option(help: "Faults, by commas: \(SimulateCommand.faultNames); `all` or `none`.")
    var faults = "all"
    @Option(help: "Run this seed only and print every line of it.")
    var replay: UInt64?
    @OptionGroup var output: OutputOptions

    private static var faultNames: String {
        SimulatedFault.allCases.map(\.rawValue).joined(separator: ", ")
    }

    func validate() throws {
        guard (file == nil) == random else {
            throw ValidationError("give either a PLAN or --random")
        }
        guard (1...100_000).contains(hosts) else {
            throw ValidationError("--hosts takes 1 to 100000")
        }
        guard (1...10_000_000).contains(seeds), from <= .max - 10_000_000 else {
            throw ValidationError("--seeds takes 1 to 10000000")
        }
        _ = try chosenFaults()
    }

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
        let plan = try file.map { path in
            let loaded = try PlanFile.load(path)
            return try loaded.plan.resolve(
                against: SimulatedFleet.make(for: loaded.plan, count: hosts))
        }
        let chosen = try chosenFaults()
        if let replay {
            try show(Self.run(plan, chosen, seed: replay, isRecorded: true))
            return
        }
        let summary = await runAll(plan, chosen)
        try output.show(summary) { _, style in
            SimulationText(summary: summary, again: again, style: style).lines()
        }
        if !summary.broken.isEmpty { throw EndWith(status: .error) }
    }

    private static func run(
        _ plan: ResolvedPlan?, _ faults: Set<SimulatedFault>, seed: UInt64, isRecorded: Bool
    ) -> RunResult {
        let setup =
            plan.map { SimulatedRun.Setup(plan: $0, faults: faults, isRecorded: isRecorded) }
            ?? .random(seed: seed, faults: faults, isRecorded: isRecorded)
        var run = SimulatedRun(setup, seed: seed)
        return run.run()
    }

    private func show(_ result: RunResult) throws {
        try output.show(result) { _, style in
            result.trace + [SimulationText.ending(of: result, style: style)]
        }
        if !result.broken.isEmpty { throw EndWith(status: .error) }
    }

    /// Two runs at once; the results are added in the order of seeds, so that the same seeds give
    /// the same summary.
    private func runAll(
        _ plan: ResolvedPlan?, _ faults: Set<SimulatedFault>
    ) async -> RunSummary {
        var summary = RunSummary()
        let block = 50
        let last = from + UInt64(seeds)
        var starts = Array(stride(from: from, to: last, by: Int(block)))[...]
        await withTaskGroup(of: (UInt64, [RunResult]).self) { group in
            func startNext() {
                guard let start = starts.popFirst() else { return }
                group.addTask {
                    let range = start..<min(last, start + UInt64(block))
                    return (
                        start,
                        range.map { Self.run(plan, faults, seed: $0, isRecorded: false) }
                    )
                }
            }
            startNext()
            startNext()
            var early: [UInt64: [RunResult]] = [:]
            var next = from
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
            "\(summary.runs) of \(seeds) runs, \(summary.broken.count) broke a promise"
        if Console.error.isTerminal {
            let bar = ProgressBar.text(
                done: summary.runs, total: seeds, columns: 30, style: style,
                role: summary.broken.isEmpty ? .good : .bad)
            Console.error.write("\r\(bar) \(text)")
        } else if summary.runs % 5000 == 0 {
            Console.error.line(text)
        }
    }

    private var again: String {
        var words = ["belay", "simulate"]
        if let file { words += [file, "--hosts", "\(hosts)"] } else { words.append("--random") }
        if faults != "all" { words += ["--faults", faults] }
        return (words + ["--replay"]).joined(separator: " ")
    }
}
