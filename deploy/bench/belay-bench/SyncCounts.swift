/// How often each tool asks the kernel to bring something to the disk: counted, not timed.
struct SyncCounts {
    let run: BenchRun
    let tools: ToolSet

    private static let calls = ["fsync", "fdatasync", "syncfs", "sync", "sync_file_range", "msync"]

    func rows() throws -> [ReportRow] {
        guard let strace = Programs.find("strace") else {
            Narrator.say("strace is not installed: what each tool syncs is not counted")
            return []
        }
        var captures: [String: [String: Int]] = [:]
        var restores: [String: [String: Int]] = [:]
        for tool in tools.all where run.failures[tool.name] == nil {
            Narrator.say("A: counting what \(tool.name) syncs")
            do {
                try tool.prepare(run.runner)
                let (counts, traced) = try count(strace, tool.capture(tool.live))
                captures[tool.name] = counts
                try tool.noteCapture(traced)
                try Folder.remove(tool.out)
                try Folder.make(tool.out)
                restores[tool.name] = try count(strace, tool.restore(into: tool.out)).counts
                try Folder.remove(tool.out)
            } catch let failure as BenchFailure {
                Narrator.say("\(tool.name): its syncs are not counted: \(failure)")
            }
        }
        return rows("A: calls to sync in a first capture", captures)
            + rows("A: calls to sync in a whole restore", restores)
    }

    private func count(
        _ strace: String, _ command: ToolCommand
    ) throws -> (counts: [String: Int], run: TimedRun) {
        let log = "\(run.work.path)/strace"
        var traced = command
        traced.arguments =
            [
                // Without the filter every other call would stop the program too.
                strace, "-f", "--seccomp-bpf", "-c", "-o", log,
                "-e", "trace=\(Self.calls.joined(separator: ","))",
            ] + command.arguments
        let timed = try run.runner.run(traced)
        guard timed.code == 0 else { throw timed.failure(of: traced) }
        return (Self.parse(TextFile.read(log) ?? ""), timed)
    }

    /// The table that `strace -c` writes: calls stand in the fourth column, errors may stand in the
    /// fifth, the name stands last.
    static func parse(_ text: String) -> [String: Int] {
        var counts: [String: Int] = [:]
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count >= 5, let name = fields.last.map(String.init),
                calls.contains(name), let number = Int(fields[3])
            else { continue }
            counts[name] = number
        }
        return counts
    }

    private func rows(_ what: String, _ counts: [String: [String: Int]]) -> [ReportRow] {
        func total(_ tool: String) -> Quantiles? {
            counts[tool].flatMap { Quantiles([Double($0.values.reduce(0, +))]) }
        }
        func words(_ tool: String) -> String? {
            counts[tool].map { counts in
                let list = counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
                return "\(tool): \(list.isEmpty ? "none" : list.joined(separator: ", "))"
            }
        }
        let peers = ToolSet.peers.filter { counts[$0] != nil }
        return peers.map { peer in
            let own = peer == peers.first ? words("belay") : nil
            return ReportRow(
                what, unit: "calls", ours: total("belay"), peer: total(peer), peerName: peer,
                note: [own, words(peer)].compactMap { $0 }.joined(separator: "; "))
        }
    }
}
