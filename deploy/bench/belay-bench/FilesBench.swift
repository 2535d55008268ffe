/// Trees of many files, A and B: captured, captured again, changed a little and brought back,
/// brought back whole.
struct FilesBench {
    let run: BenchRun
    let shape: TreeShape
    let tools: ToolSet

    private var name: String { shape.name }

    func rows() throws -> [ReportRow] {
        let expected = try makeTrees()
        var rows: [ReportRow] = []
        var parts: [PartResult] = []
        let first = try firstCapture()
        rows += compare(first, rules: ["restic": .shareOfPeer(1.0 / 3)])
        rows += storeRows(first)
        let again = try run.time(
            "\(name): capture, nothing changed", tools.all.filter(\.knowsUnchanged),
            prepare: { tool, _ in try warm(tool) }, command: { $0.capture($0.live) },
            run: { try $0.noteCapture($1) })
        rows += compare(
            again, peers: ["restic", "borg", "rsync -a"], rules: ["restic": .shareOfPeer(0.1)])
        let (changed, changedNotes) = try restoreChanged(expected)
        rows += compare(changed, rules: ["restic": .shareOfPeer(0.1)], notes: changedNotes)
        rows += try restoreAfterCapture(expected)
        let (whole, wholeNotes) = try restoreWhole(expected)
        rows += compare(whole, rules: ["cp -a": .shareOfPeer(1)], notes: wholeNotes)
        parts = [first, again, changed, whole]
        rows.append(memoryRow(parts))
        if name == "A" { rows += try SyncCounts(run: run, tools: tools).rows() }
        return rows
    }

    /// Each tool has its own tree of the same content, so that what one restores does not change
    /// what another knows. The digest that every tree has.
    private func makeTrees() throws -> TreeDigest {
        Narrator.say("\(name): making trees of \(shape.files) files")
        for live in Set(tools.all.map(\.live)).sorted() {
            try TreeMaker(shape: shape, top: "\(live)/tree").make()
        }
        let digests = try Set(tools.all.map(\.live)).map { try TreeDigest(of: "\($0)/tree") }
        guard let first = digests.first, digests.allSatisfy({ $0 == first }) else {
            throw BenchFailure("two trees of the seed \(shape.seed) differ")
        }
        // The index takes a file for settled a second after its last change.
        try Stillness.wait()
        return first
    }

    /// Brings a tool's tree and store into the page cache: those of seven tools do not fit together
    /// everywhere, and by its turn the others have taken its place.
    private func warm(_ tool: any BenchTool) throws {
        _ = try TreeDigest(of: "\(tool.live)/tree")
        _ = try TreeDigest(of: tools.countedStore(tool))
    }

    private func firstCapture() throws -> PartResult {
        try run.time(
            "\(name): first capture", tools.all,
            prepare: { tool, _ in
                try tool.prepare(run.runner)
                _ = try TreeDigest(of: "\(tool.live)/tree")
            },
            command: { $0.capture($0.live) },
            after: { tool, round, series in
                let stored = try Folder.storedBytes(tools.countedStore(tool))
                series.values.append(Double(stored) / 1_000_000)
            },
            run: { try $0.noteCapture($1) })
    }

    private func restoreChanged(
        _ expected: TreeDigest
    ) throws -> (PartResult, [String: String]) {
        var notes: [String: String] = [:]
        let result = try run.time(
            "\(name): restore, 1 % changed", tools.all,
            prepare: { tool, round in
                _ = try TreeMaker(shape: shape, top: "\(tool.live)/tree")
                    .changeOnePercent(round: round)
                try warm(tool)
            },
            command: { $0.restore(into: $0.live) },
            after: { tool, _, _ in
                if try TreeDigest(of: "\(tool.live)/tree") != expected {
                    notes[tool.name] = try remake(tool)
                }
            })
        return (result, notes)
    }

    /// Belay alone: with the capture of the present state that precedes a restore unless it is
    /// waived. No peer does that.
    private func restoreAfterCapture(_ expected: TreeDigest) throws -> [ReportRow] {
        var notes: [String: String] = [:]
        let result = try run.time(
            "\(name): restore, 1 % changed, the state before it captured", [tools.belay],
            prepare: { tool, round in
                _ = try TreeMaker(shape: shape, top: "\(tool.live)/tree")
                    .changeOnePercent(round: 100 + round)
                try warm(tool)
            },
            command: { _ in tools.belay.restoreAfterCapture(into: tools.belay.live) },
            after: { tool, _, _ in
                if try TreeDigest(of: "\(tool.live)/tree") != expected {
                    notes[tool.name] = try remake(tool)
                }
            })
        return compare(result, peers: [""], rules: [:], notes: notes)
    }

    private func restoreWhole(_ expected: TreeDigest) throws -> (PartResult, [String: String]) {
        var notes: [String: String] = [:]
        let result = try run.time(
            "\(name): whole restore", tools.all,
            prepare: { tool, _ in
                try Folder.remove(tool.out)
                try Folder.make(tool.out)
                try warm(tool)
            },
            command: { $0.restore(into: $0.out) },
            after: { tool, _, _ in
                if try TreeDigest(of: "\(tool.out)/tree") != expected {
                    notes[tool.name] = "\(tool.name) did not give back what was captured"
                }
                try Folder.remove(tool.out)
            })
        return (result, notes)
    }

    /// Makes a tool's tree anew after it was not restored exactly, and says so.
    private func remake(_ tool: any BenchTool) throws -> String {
        try Folder.remove("\(tool.live)/tree")
        try TreeMaker(shape: shape, top: "\(tool.live)/tree").make()
        return "\(tool.name) did not give back what was captured"
    }

    private func compare(
        _ result: PartResult, peers: [String]? = nil, rules: [String: TargetRule],
        notes: [String: String] = [:]
    ) -> [ReportRow] {
        result.rows(
            result.part, unit: "s", ours: "belay", peers: peers ?? ToolSet.peers, rules: rules,
            notes: run.failures.merging(notes) { "\($0); \($1)" })
    }

    private func storeRows(_ first: PartResult) -> [ReportRow] {
        first.rows(
            "\(name): store after the first capture", unit: "MB", ours: "belay",
            peers: ["restic", "borg"], rules: ["restic": .shareOfPeer(1.1)]
        ) { $0.values }
    }

    private func memoryRow(_ parts: [PartResult]) -> ReportRow {
        func most(_ tool: String) -> Quantiles? {
            let bytes = parts.compactMap { $0.series[tool]?.residentBytes }.max()
            return bytes.flatMap { Quantiles([Double($0) / 1_000_000]) }
        }
        return ReportRow(
            "\(name): most memory of any run", unit: "MB", ours: most("belay"),
            peer: most("restic"), peerName: "restic", rule: .most(100),
            note: "the kernel counts what the benchmark held when it started a program as that "
                + "program's, so less than \(ProgramRunner.ownBytes / 1_000_000) MB cannot be told")
    }
}
