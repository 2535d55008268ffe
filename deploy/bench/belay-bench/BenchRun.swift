/// How a run of the benchmark is made, and the timing that all its parts share.
final class BenchRun {
    /// Where everything is made.
    let work: WorkDirectory
    /// Where trees and stores are made: in the work directory, or on a disk of their own in it.
    private(set) var base: String
    /// The file system of that disk; nil if there is none.
    private let diskKind: String?
    private var disk: LoopDisk?
    let runner: ProgramRunner
    /// How often each part is timed.
    let rounds: Int
    let quick: Bool
    /// `belay-agent`.
    let agent: String
    private let deadline: ContinuousClock.Instant
    /// By tool, why it is left out from where it failed.
    private(set) var failures: [String: String] = [:]

    init(
        work: WorkDirectory, rounds: Int, quick: Bool, agent: String, diskKind: String?,
        deadline: ContinuousClock.Instant
    ) {
        self.work = work
        base = work.path
        self.diskKind = diskKind
        self.rounds = rounds
        self.quick = quick
        self.agent = agent
        self.deadline = deadline
        runner = ProgramRunner(logs: work.path)
    }

    /// False once the time is over; what has begun is brought to its end.
    var hasTime: Bool { ContinuousClock.now < deadline }

    /// Begins another tree with room for `bytes`, on a new disk if there shall be one.
    func begin(bytes: Int) throws {
        failures = [:]
        guard let diskKind else { return }
        let made = try LoopDisk(
            diskKind, bytes: bytes, place: "\(work.path)/disk", runner: runner)
        (disk, base) = (made, made.path)
    }

    /// Removes what the tree's measurements left.
    func end() throws {
        disk?.remove()
        disk = nil
        base = work.path
        try work.empty()
    }

    /// Leaves a tool out from here on.
    func fail(_ tool: String, _ why: String) {
        Narrator.say("\(tool) is left out from here on: \(why)")
        failures[tool] = why
    }

    /// Runs one part: in each round every tool once, beginning with another one each time, with all
    /// earlier writes on the disk before each timed command.
    func time(
        _ part: String, _ tools: [any BenchTool],
        prepare: (any BenchTool, Int) throws -> Void = { _, _ in },
        command: (any BenchTool) -> ToolCommand,
        after: (any BenchTool, Int, inout Series) throws -> Void = { _, _, _ in },
        run check: (any BenchTool, TimedRun) throws -> Void = { _, _ in }
    ) throws -> PartResult {
        var result = PartResult(part: part)
        for round in 0..<rounds where round == 0 || hasTime {
            for index in tools.indices {
                let tool = tools[(index + round) % tools.count]
                guard failures[tool.name] == nil else { continue }
                do {
                    try prepare(tool, round)
                    try Stillness.wait()
                    let command = command(tool)
                    let run = try runner.run(command)
                    guard run.code == 0 else { throw run.failure(of: command) }
                    var series = result.series[tool.name] ?? Series()
                    series.add(run, command: command.shown(below: base))
                    try check(tool, run)
                    try after(tool, round, &series)
                    result.series[tool.name] = series
                    Narrator.say(
                        "\(part), \(round + 1) of \(rounds): \(tool.name) "
                            + "\(Narrator.seconds(run.seconds)), "
                            + "\(run.residentBytes / 1_000_000) MB"
                            + Self.loadNote(run.othersShare))
                } catch let failure as BenchFailure {
                    fail(tool.name, failure.description)
                }
            }
        }
        return result
    }

    private static func loadNote(_ share: Double) -> String {
        share > Report.loadedShare
            ? ", while others used \(Int((share * 100).rounded())) % of the processors" : ""
    }
}
