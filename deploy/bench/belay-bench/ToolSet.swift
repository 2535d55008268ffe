/// Belay and the peers that are installed, with a folder each below one tree's.
struct ToolSet {
    /// All that are asked for, installed or not, as the table calls them.
    static let peers = ["restic", "borg", "cp -a", "cp -a, sync", "rsync -a"]

    let belay: BelayTool
    let all: [any BenchTool]

    /// `place` is the folder of one tree; `copies` also takes tools that copy.
    init(agent: String, place: String, versions: [String: String], copies: Bool = true) throws {
        belay = BelayTool(program: agent, place: "\(place)/belay")
        var all: [any BenchTool] = [belay]
        if let program = Programs.find("restic") {
            all.append(
                ResticTool(
                    program: program, version: versions["restic"] ?? "", place: "\(place)/restic"))
        }
        if let program = Programs.find("borg") {
            all.append(BorgTool(program: program, place: "\(place)/borg"))
        }
        let live = "\(place)/copies/live"
        if copies, let program = Programs.find("cp") {
            all.append(CopyTool(.copy, program: program, place: "\(place)/cp", live: live))
            all.append(
                CopyTool(.syncedCopy, program: program, place: "\(place)/cp-sync", live: live))
        }
        if copies, let program = Programs.find("rsync") {
            all.append(CopyTool(.rsync, program: program, place: "\(place)/rsync", live: live))
        }
        self.all = all
        for tool in all {
            try Folder.make(tool.live)
            try Folder.make(tool.place)
        }
    }

    /// What counts as a tool's store: for Belay the points without the agent's journal.
    func countedStore(_ tool: any BenchTool) -> String {
        (tool as? BelayTool)?.points ?? tool.store
    }
}
