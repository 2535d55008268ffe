/// Programs whose store is a copy of the tree: `cp -a`, the same with a sync, and `rsync -a`.
final class CopyTool: BenchTool {
    enum Kind {
        case copy
        /// A copy that is on the disk when the command ends, as a rollback point is.
        case syncedCopy
        case rsync
    }

    let name: String
    let place: String
    /// One tree for all copies: each brings it back whole, which is all that the next looks at.
    let live: String
    let knowsUnchanged: Bool
    private let program: String
    private let kind: Kind

    init(_ kind: Kind, program: String, place: String, live: String) {
        self.kind = kind
        self.program = program
        self.place = place
        self.live = live
        knowsUnchanged = kind == .rsync
        name =
            switch kind {
            case .copy: "cp -a"
            case .syncedCopy: "cp -a, sync"
            case .rsync: "rsync -a"
            }
    }

    func prepare(_ runner: ProgramRunner) throws {
        try Folder.remove(store)
        try Folder.make(store)
    }

    func capture(_ root: String) -> ToolCommand { copy("\(root)/tree", to: "\(store)/tree") }

    func restore(into root: String) -> ToolCommand { copy("\(store)/tree", to: "\(root)/tree") }

    private func copy(_ source: String, to target: String) -> ToolCommand {
        switch kind {
        case .copy: ToolCommand(arguments: [program, "-aT", source, target])
        case .syncedCopy:
            ToolCommand(arguments: [
                "/bin/sh", "-c", #"cp -aT "$1" "$2" && sync -f "$2""#, "sh", source, target,
            ])
        case .rsync:
            ToolCommand(arguments: [program, "-a", "--delete", source + "/", target + "/"])
        }
    }
}
