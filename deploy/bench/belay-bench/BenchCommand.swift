import ArgumentParser
import Glibc

/// `belay-bench`: measures Belay against what else is installed, on this machine.
@main
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "belay-bench",
        abstract: "Measures Belay against peers that are installed, in the same run.",
        subcommands: [
            SnapshotsCommand.self, SimulationCommand.self, ReplayCommand.self, TreeCommand.self,
        ])
}

/// `belay-bench snapshots`: rollback points against restic, borg, cp and rsync.
struct SnapshotsCommand: MeasuringCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshots",
        abstract: "Times captures and restores; prints a table and writes snapshots.json.")

    @Option(help: "Where everything is made, and snapshots.json is left.")
    var directory = ".build/bench"
    @Option(help: "Make trees on a new file system in a file: ext4, xfs or btrfs; root only.")
    var disk: String?
    @Option(help: "The program belay-agent; the one beside this program unless given.")
    var agent: String?
    @Option(help: "Which trees: A, B, C, btrfs; several with commas.")
    var tree = "A,B,C,btrfs"
    @Flag(help: "Smaller trees and three runs, for trying.")
    var quick = false
    @Option(help: "How often each part is timed; 5, with --quick 3.")
    var runs: Int?
    @Option(help: "No further run begins after so many minutes.")
    var minutes = 90

    func validate() throws {
        _ = try parts()
        guard disk.map(LoopDisk.kinds.contains) ?? true else {
            throw ValidationError("--disk is one of \(LoopDisk.kinds.joined(separator: ", "))")
        }
        guard disk == nil || geteuid() == 0 else {
            throw ValidationError("--disk needs root, who alone can mount one")
        }
        guard runs.map({ (1...99).contains($0) }) ?? true else {
            throw ValidationError("--runs is 1 to 99")
        }
        guard (1...1_440).contains(minutes) else {
            throw ValidationError("--minutes is 1 to 1440")
        }
    }

    func measure() throws {
        let parts = try parts()
        let program = agent.map(Folder.absolute) ?? Programs.beside("belay-agent")
        guard access(program, X_OK) == 0 else {
            throw BenchFailure("\(program) is missing: run `make bench-snapshots`")
        }
        let directory = Folder.absolute(directory)
        let work = try WorkDirectory(in: directory)
        defer {
            do { try work.clear() } catch { Narrator.say("\(error)") }
        }
        let rounds = runs ?? (quick ? 3 : 5)
        let estimate = Estimate(parts: parts, quick: quick, rounds: rounds)
        Narrator.say(
            "this takes about \(estimate.minutes) minutes on two processors (at most \(minutes) and "
                + "what has begun), and \(estimate.bytes / 1_000_000_000 + 1) GB in \(directory)")
        try work.require(bytes: estimate.bytes, files: estimate.files)
        let run = BenchRun(
            work: work, rounds: rounds, quick: quick, agent: program, diskKind: disk,
            deadline: .now + .seconds(minutes * 60))
        var report = Report(
            versions: try MachineFacts.versions(agent: program, runner: run.runner),
            commit: MachineFacts.commit(runner: run.runner),
            machine: MachineFacts.describe(directory, disk: disk), at: MachineFacts.now())
        let file = "\(directory)/snapshots.json"
        for part in parts {
            report.rows += try rows(of: part, run, report.versions)
            // What was measured stays even if the next part is interrupted.
            try TextFile.write(report.json(), to: file)
        }
        report.tell(writtenTo: file)
    }

    private func rows(
        of part: BenchPart, _ run: BenchRun, _ versions: [String: String]
    ) throws -> [ReportRow] {
        guard run.hasTime else {
            Narrator.say("the time is over: \(part.rawValue) is not measured")
            return []
        }
        func tools(_ name: String, copies: Bool = true) throws -> ToolSet {
            try run.begin(bytes: Estimate(parts: [part], quick: quick, rounds: 1).bytes)
            return try ToolSet(
                agent: run.agent, place: "\(run.base)/\(name)", versions: versions,
                copies: copies)
        }
        defer {
            do { try run.end() } catch { Narrator.say("\(error)") }
        }
        switch part {
        case .many:
            return try FilesBench(run: run, shape: .many(quick: quick), tools: tools("A")).rows()
        case .small:
            return try FilesBench(run: run, shape: .small(quick: quick), tools: tools("B")).rows()
        case .large:
            let tools = try tools("C", copies: false)
            return try LargeFileBench(run: run, shape: .large(quick: quick), tools: tools).rows()
        case .subvolume:
            if let obstacle = SubvolumeBench.obstacle {
                Narrator.say("btrfs is not measured: \(obstacle)")
                return []
            }
            return try SubvolumeBench(run: run, shape: .many(quick: quick)).rows()
        }
    }

    private func parts() throws -> [BenchPart] {
        let names = tree.split(separator: ",").map(String.init)
        let parts = names.compactMap(BenchPart.init(rawValue:))
        guard parts.count == names.count, !parts.isEmpty else {
            throw ValidationError("--tree takes \(BenchPart.list), not \(tree)")
        }
        return BenchPart.allCases.filter(parts.contains)
    }
}

/// What can be measured by itself.
enum BenchPart: String, CaseIterable {
    case many = "A"
    case small = "B"
    case large = "C"
    case subvolume = "btrfs"

    static var list: String { allCases.map(\.rawValue).joined(separator: ", ") }
}

/// What a run takes, from runs on two processors and a virtual disk.
struct Estimate {
    let minutes: Int
    let bytes: Int
    let files: Int

    init(parts: [BenchPart], quick: Bool, rounds: Int) {
        var minutes = 0.0
        var (bytes, files) = (0, 0)
        for part in parts {
            // Minutes of one round; bytes and files at the same time, all tools together.
            let (time, room, count): (Double, Int, Int) =
                switch part {
                case .many: (1, 3_000_000_000, 200_000)
                case .small: (5, 22_000_000_000, 2_000_000)
                case .large: (2, 22_000_000_000, 10_000)
                case .subvolume: (0.3, 3_000_000_000, 1_000)
                }
            minutes += time * Double(rounds)
            (bytes, files) = (max(bytes, room), max(files, count))
        }
        let share = quick ? 10 : 1
        self.minutes = max(1, Int((minutes / Double(share)).rounded(.up)))
        // borg keeps half a gigabyte free whatever it is given.
        self.bytes = bytes / share + 1_000_000_000
        self.files = files / share
    }
}
