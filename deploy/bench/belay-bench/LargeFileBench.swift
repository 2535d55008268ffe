/// Tree C: one large file, captured, changed in 1 % of its bytes, captured again.
struct LargeFileBench {
    let run: BenchRun
    let shape: TreeShape
    let tools: ToolSet

    private static let peers = ["restic", "borg"]

    func rows() throws -> [ReportRow] {
        let live = "\(run.base)/C/live"
        Narrator.say("C: making a file of \(shape.allSizes()[0] / 1_000_000) MB")
        let maker = TreeMaker(shape: shape, top: "\(live)/tree")
        try maker.make()
        var first = PartResult(part: "C: first capture")
        var second = PartResult(part: "C: second capture, 1 % changed")
        let size = Double(shape.allSizes()[0])
        // All capture the same file, so its rounds go round by round through both parts.
        for round in 0..<run.rounds where round == 0 || run.hasTime {
            try capture(live, into: &first, round: round, isFirst: true) {
                Double($1 - $0) / 1_000_000
            }
            _ = try maker.changeRanges(round: round)
            // The index takes a file for settled a second after its last change.
            try Stillness.wait()
            try capture(live, into: &second, round: round, isFirst: false) {
                Double($1 - $0) / size * 100
            }
        }
        return rows(first, second)
    }

    private func capture(
        _ live: String, into result: inout PartResult, round: Int, isFirst: Bool,
        value: (Int, Int) -> Double
    ) throws {
        for index in tools.all.indices {
            let tool = tools.all[(index + round) % tools.all.count]
            guard run.failures[tool.name] == nil else { continue }
            do {
                if isFirst { try tool.prepare(run.runner) }
                let before = try Folder.storedBytes(tools.countedStore(tool))
                try Stillness.wait()
                let command = tool.capture(live)
                let timed = try run.runner.run(command)
                guard timed.code == 0 else { throw timed.failure(of: command) }
                let after = try Folder.storedBytes(tools.countedStore(tool))
                var series = result.series[tool.name] ?? Series()
                series.add(timed, command: command.shown(below: run.base))
                series.values.append(value(before, after))
                result.series[tool.name] = series
                Narrator.say(
                    "\(result.part), \(round + 1) of \(run.rounds): \(tool.name) "
                        + "\(Narrator.seconds(timed.seconds)), "
                        + "\(timed.residentBytes / 1_000_000) MB")
            } catch let failure as BenchFailure {
                run.fail(tool.name, failure.description)
            }
        }
    }

    private func rows(_ first: PartResult, _ second: PartResult) -> [ReportRow] {
        func rows(
            _ result: PartResult, _ what: String, _ unit: String, _ rules: [String: TargetRule],
            _ value: (Series) -> [Double]
        ) -> [ReportRow] {
            result.rows(
                what, unit: unit, ours: "belay", peers: Self.peers, rules: rules,
                notes: run.failures, value: value)
        }
        let stored = TargetRule.most(5)
        let memory = TargetRule.most(100)
        func mostMemory(_ series: Series) -> [Double] { [Double(series.residentBytes) / 1_000_000] }
        return rows(first, first.part, "s", [:]) { $0.seconds }
            + rows(first, "C: store after the first capture", "MB", ["restic": .shareOfPeer(1.1)]) {
                $0.values
            }
            + rows(second, second.part, "s", [:]) { $0.seconds }
            + rows(
                second, "C: stored by the second capture, of the file", "%",
                ["restic": stored, "borg": stored]
            ) { $0.values }
            + rows(first, "C: most memory of a first capture", "MB", ["restic": memory], mostMemory)
            + rows(
                second, "C: most memory of a second capture", "MB", ["restic": memory], mostMemory)
    }
}
