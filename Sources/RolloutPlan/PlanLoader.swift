import FleetWire

/// Reads plans from YAML files.
package enum PlanLoader {
    /// Reads, checks and inlines `path`; throws every problem at once. Time zones are looked up
    /// in `zones`, or not at all.
    package static func load(
        path: String, zones: ZoneLookup? = nil
    ) throws(PlanProblems) -> LoadedPlan {
        let bytes: [UInt8]
        do {
            bytes = try LocalFile(path).read(bytesMax: PlanLimits.fileBytesMax)
        } catch {
            throw PlanProblems([
                PlanProblem(severity: .error, file: path, line: 0, column: 0, message: error.reason)
            ])
        }
        return try load(bytes: bytes, path: path, zones: zones)
    }

    /// The same with the file's content at hand; files that the plan names are taken relative to
    /// the folder of `path`.
    package static func load(
        bytes: [UInt8], path: String, zones: ZoneLookup? = nil
    ) throws(PlanProblems) -> LoadedPlan {
        func refused(_ line: Int, _ column: Int, _ message: String) -> PlanProblems {
            PlanProblems([
                PlanProblem(
                    severity: .error, file: path, line: line, column: column, message: message)
            ])
        }
        guard bytes.count <= PlanLimits.fileBytesMax else {
            throw refused(0, 0, "the file is larger than 1 MiB; no plan is")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw refused(0, 0, "the file is not UTF-8 text")
        }
        let source: YAMLSource
        do {
            source = try YAMLSource(text)
        } catch {
            throw refused(error.line, error.column, error.message)
        }
        guard let root = source.root else {
            throw refused(1, 1, "the file is empty; a plan begins with `belay: 1`")
        }
        var reader = ShapeReader(duplicates: source.duplicates)
        let value = reader.read(root, as: .object(PlanShape.plan))
        return try finish(value, misfits: reader.misfits, path: path, zones: zones)
    }

    private static func finish(
        _ value: PlacedValue, misfits: [ShapeReader.Misfit], path: String, zones: ZoneLookup?
    ) throws(PlanProblems) -> LoadedPlan {
        var problems = misfits.map { misfit in
            PlanProblem(
                severity: .error, file: path, line: misfit.line, column: misfit.column,
                message: misfit.message)
        }
        // A value that did not parse is reported once, not for what it then lacks too.
        if value.isMalformed { throw PlanProblems(ordered(problems)) }
        let files = InlinedFiles(folder: LocalFile.folder(of: path))
        let artifacts = files.artifacts(value["artifacts"])
        let builder = PlanBuilder(inline: files.inline, artifacts: artifacts.refs)
        let plan = builder.plan(value)
        let unread = files.problems.all
        let checked = PlanChecker.problems(in: plan, zones: zones).filter { problem in
            !unread.contains { $0.path.touches(problem.path) }
        }
        for problem in unread + checked
        where !misfits.contains(where: { $0.path.touches(problem.path) }) {
            let place = value.place(of: problem.path, atKey: problem.atKey, offset: problem.offset)
            problems.append(
                PlanProblem(
                    severity: problem.severity, file: path, line: place.line,
                    column: place.column, message: problem.message))
        }
        let all = ordered(problems)
        if all.contains(where: { $0.severity == .error }) { throw PlanProblems(all) }
        return LoadedPlan(plan: plan, artifactFiles: artifacts.files, warnings: all)
    }

    private static func ordered(_ problems: [PlanProblem]) -> [PlanProblem] {
        let sorted = problems.enumerated().sorted { left, right in
            (left.element.line, left.element.column, left.offset)
                < (right.element.line, right.element.column, right.offset)
        }
        return Array(sorted.map(\.element).prefix(PlanLimits.problemsMax))
    }
}
