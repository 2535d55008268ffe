import ArgumentParser

/// `belay-bench tree`: one of the trees by itself, to profile by hand what the benchmark times.
struct TreeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tree",
        abstract: "Makes the tree A, B or C, or changes 1 % of one that was made.")

    @Argument(help: "A, B or C.") var name: String
    @Argument(help: "The tree's top directory.") var top: String
    @Flag(help: "The smaller tree of a quick run.") var quick = false
    @Option(help: "Changes what this round of a run changes, instead of making the tree.")
    var change: Int?

    func validate() throws {
        guard shape != nil else { throw ValidationError("\(name) is none of A, B, C") }
        guard change.map({ (0...1_000_000).contains($0) }) ?? true else {
            throw ValidationError("--change is 0 to 1000000")
        }
    }

    func run() throws {
        guard let shape else { return }
        let maker = TreeMaker(shape: shape, top: Folder.absolute(top))
        do {
            guard let round = change else { return try maker.make() }
            if shape.files == 1 {
                _ = try maker.changeRanges(round: round)
            } else {
                _ = try maker.changeOnePercent(round: round)
            }
        } catch let failure as BenchFailure {
            Narrator.say(failure.description)
            throw ExitCode(1)
        }
    }

    private var shape: TreeShape? {
        switch name {
        case "A": .many(quick: quick)
        case "B": .small(quick: quick)
        case "C": .large(quick: quick)
        default: nil
        }
    }
}
