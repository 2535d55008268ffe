import Glibc

/// Tree A on two small disks of the same kind, ext4 and btrfs: what a snapshot saves.
struct SubvolumeBench {
    let run: BenchRun
    let shape: TreeShape

    private static let diskBytes = 6_000_000_000
    private static let wayToExt4 = "belay, files on ext4"

    /// Why it cannot run here; nil if it can.
    static var obstacle: String? {
        if geteuid() != 0 { return "only root can mount a disk" }
        return ["mkfs.btrfs", "mkfs.ext4", "btrfs", "mount"].first { Programs.find($0) == nil }
            .map { "\($0) is not installed" }
    }

    func rows() throws -> [ReportRow] {
        let place = "\(run.work.path)/disks"
        let plain = try LoopDisk(
            "ext4", bytes: Self.diskBytes, place: "\(place)/ext4", runner: run.runner)
        defer { plain.remove() }
        let clever = try LoopDisk(
            "btrfs", bytes: Self.diskBytes, place: "\(place)/btrfs", runner: run.runner)
        defer { clever.remove() }
        let files = BelayTool(
            program: run.agent, place: "\(plain.path)/belay", name: Self.wayToExt4)
        let clones = BelayTool(
            program: run.agent, place: "\(clever.path)/clones", name: "belay, files on btrfs")
        let snapshots = BelayTool(
            program: run.agent, place: "\(clever.path)/snapshots", name: "belay",
            driver: #"{"btrfs":{"path":"/tree","data":false}}"#)
        try makeTrees(files, clones, snapshots)
        let result = try measure([snapshots, clones, files], [plain, clever])
        return rows(result)
    }

    private func makeTrees(_ files: BelayTool, _ clones: BelayTool, _ snapshots: BelayTool) throws {
        guard let btrfs = Programs.find("btrfs") else { return }
        for tool in [files, clones, snapshots] { try Folder.make(tool.live) }
        try run.runner.succeed([btrfs, "subvolume", "create", "\(snapshots.live)/tree"])
        for tool in [files, clones, snapshots] {
            try TreeMaker(shape: shape, top: "\(tool.live)/tree").make()
            _ = try TreeDigest(of: "\(tool.live)/tree")
        }
        try Stillness.wait()
    }

    /// Each capture is a first one, into a state of its own.
    private func measure(_ tools: [BelayTool], _ disks: [LoopDisk]) throws -> PartResult {
        var result = PartResult(part: "A: first capture on btrfs")
        for round in 0..<run.rounds where round == 0 || run.hasTime {
            for tool in tools where run.failures[tool.name] == nil {
                guard let disk = disks.first(where: { tool.place.hasPrefix($0.path) }) else {
                    continue
                }
                tool.round = round
                do {
                    try tool.prepare(run.runner)
                    try Stillness.wait()
                    let before = try disk.usedBytes()
                    let command = tool.capture(tool.live)
                    let timed = try run.runner.run(command)
                    guard timed.code == 0 else { throw timed.failure(of: command) }
                    var series = result.series[tool.name] ?? Series()
                    series.add(timed, command: command.shown(below: run.work.path))
                    series.values.append(Double(try disk.usedBytes() - before) / 1_000_000)
                    result.series[tool.name] = series
                    Narrator.say(
                        "\(result.part), \(round + 1) of \(run.rounds): \(tool.name) "
                            + Narrator.seconds(timed.seconds))
                } catch let failure as BenchFailure {
                    run.fail(tool.name, failure.description)
                }
            }
        }
        return result
    }

    private func rows(_ result: PartResult) -> [ReportRow] {
        let peers = [Self.wayToExt4, "belay, files on btrfs"]
        return result.rows(
            result.part, unit: "s", ours: "belay", peers: peers,
            rules: [Self.wayToExt4: .shareOfPeer(0.2)], notes: run.failures)
            + result.rows(
                "A: new data of a first capture on btrfs", unit: "MB", ours: "belay", peers: peers,
                rules: [Self.wayToExt4: .most(5)]
            ) { $0.values }
    }
}
