import Glibc

/// A program that captures and restores a tree: Belay or one of its peers.
///
/// Each has a folder of its own: `live/tree` is what it captures, `store` what it makes of it.
protocol BenchTool: AnyObject {
    /// As the table calls it.
    var name: String { get }
    /// Its own folder.
    var place: String { get }
    /// The folder of the tree that it captures.
    var live: String { get }
    /// The folder that a capture fills.
    var store: String { get }
    /// Whether a second capture reads only what changed.
    var knowsUnchanged: Bool { get }

    /// Makes the empty store anew, untimed.
    func prepare(_ runner: ProgramRunner) throws
    /// Captures `tree` below `root` into the store.
    func capture(_ root: String) -> ToolCommand
    /// Takes note of what a capture printed. Throws if it says nothing that can be restored.
    func noteCapture(_ run: TimedRun) throws
    /// Brings `tree` below `root` to what was captured last.
    func restore(into root: String) -> ToolCommand
}

extension BenchTool {
    var live: String { "\(place)/live" }
    var store: String { "\(place)/store" }
    var out: String { "\(place)/out" }

    func noteCapture(_ run: TimedRun) throws {}
}

/// Belay itself: the agent's own command, with no agent running and no coordinator.
final class BelayTool: BenchTool {
    let name: String
    let place: String
    let knowsUnchanged = true
    private let program: String
    private let driver: String
    private var point = ""
    /// Captures of different rounds have stores of their own.
    var round = 0

    /// `driver` is the component's driver as a plan writes it in JSON, such as
    /// `{"files":{"paths":["/tree"]}}`.
    init(program: String, place: String, name: String = "belay", driver: String? = nil) {
        self.program = program
        self.place = place
        self.name = name
        self.driver = driver ?? #"{"files":{"paths":["/tree"]}}"#
    }

    var store: String { round == 0 ? "\(place)/store" : "\(place)/store-\(round)" }

    func prepare(_ runner: ProgramRunner) throws {
        try Folder.remove(store)
        try Folder.make(store)
        guard chmod(store, 0o700) == 0 else { throw BenchFailure.system("close", store, errno) }
        // Who the host is; a point needs no more of it, and nobody listens there.
        try TextFile.write(
            #"{"coordinator":"127.0.0.1:7430","host":"bench"}"#, to: "\(store)/agent.json",
            mode: 0o600)
        try TextFile.write(
            #"[{"name":"tree","driver":\#(driver),"restart":false}]"#, to: components)
        try runner.succeed([program, "point", "list", "--state", store, "--root", live])
    }

    func capture(_ root: String) -> ToolCommand {
        ToolCommand(arguments: [
            program, "point", "create", "--state", store, "--root", root,
            "--components", components, "--reason", "bench",
        ])
    }

    func noteCapture(_ run: TimedRun) throws {
        guard let id = Self.point(in: run.output) else {
            throw BenchFailure("`belay-agent point create` named no point: \(run.output)")
        }
        point = id
    }

    func restore(into root: String) -> ToolCommand {
        ToolCommand(arguments: [
            program, "point", "restore", point, "--state", store, "--root", root, "--no-capture",
        ])
    }

    /// The same, with the present state captured first, as it is unless it was waived.
    func restoreAfterCapture(into root: String) -> ToolCommand {
        ToolCommand(arguments: restore(into: root).arguments.dropLast())
    }

    /// What is stored without the agent's journal.
    var points: String { "\(store)/points" }
    private var components: String { "\(place)/components.json" }

    /// The first word that is an id of a point: `YYYYMMDDTHHMMSSmmmZ-` and 8 hexadecimal digits.
    static func point(in text: String) -> String? {
        text.split { !($0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-")) }
            .first { word in
                let letters = Array(word.utf8)
                return letters.count == 28 && letters[8] == UInt8(ascii: "T")
                    && letters[18] == UInt8(ascii: "Z") && letters[19] == UInt8(ascii: "-")
            }.map(String.init)
    }
}
