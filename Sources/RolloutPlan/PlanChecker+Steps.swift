import FleetWire

extension PlanChecker {
    mutating func checkStages(_ path: PlanPath) {
        var seen: Set<Stage> = []
        for work in plan.stages {
            let here = path[work.stage.rawValue]
            if !seen.insert(work.stage).inserted {
                error(here, "the stage stands twice", atKey: true)
            }
            checkNames(work.steps.map(\.name), of: "step", here["steps"])
            for (index, step) in work.steps.enumerated() {
                checkStep(step, in: work.stage, here["steps"][index])
            }
            checkChecks(work.checks, here["checks"])
        }
        let verified = plan.stages.first { $0.stage == .verification }
        if verified?.checks.isEmpty ?? true {
            let message = "nothing would be verified: the stage verification has no checks"
            warn(verified == nil ? path : path["verification"], message, atKey: true)
        } else if verified?.checks.contains(where: { $0.level == .critical }) == false {
            warn(
                path["verification"]["checks"],
                "no check of the verification is critical; none could fail it", atKey: true)
        }
    }

    private mutating func checkStep(_ step: StepSpec, in stage: Stage, _ path: PlanPath) {
        checkSpan(step.timeout, atLeast: 1, path["timeout"])
        checkSpan(step.retryDelay, atLeast: 0, path["retry_delay"])
        if !(1...100).contains(step.attempts) {
            error(path["attempts"], "expected \(Shape.integer(1...100).expected)")
        }
        if step.irreversible { checkIrreversible(step, stage, path["irreversible"]) }
        switch step.action {
        case .artifact(let action): checkArtifactStep(action, path["artifact"])
        case .run(let action): checkRun(action, path["run"])
        case .service(let action): checkServiceStep(action, path["service"]["component"])
        case .flags(let action): checkFlags(action, path["flags"])
        case .config(let action): checkConfig(action, path["config"])
        case .sqlite(let action): checkSQLite(action, path["sqlite"])
        case .wait(let action): checkWait(action, path["wait"])
        case .unknown(let name): error(path, "no action is called `\(name)`")
        }
        checkStageAllows(step, stage, path)
    }

    /// The rollback point is taken before the stage migration: what changes earlier is in it.
    private mutating func checkStageAllows(_ step: StepSpec, _ stage: Stage, _ path: PlanPath) {
        let action: String
        switch step.action {
        case .artifact: action = "artifact"
        case .service: action = "service"
        case .flags: action = "flags"
        case .config: action = "config"
        case .sqlite: action = "sqlite"
        case .run, .wait, .unknown: return
        }
        switch stage {
        case .validation:
            error(
                path[action],
                "validation must not change the host; `\(action)` belongs to migration", atKey: true
            )
        case .preparation:
            warn(
                path[action],
                "preparation runs before the rollback point is taken; a rollback will not undo "
                    + "`\(action)` here", atKey: true)
        case .migration, .verification, .finalization: break
        }
    }

    private mutating func checkArtifactStep(_ step: ArtifactStep, _ path: PlanPath) {
        let names = plan.artifacts.map(\.name)
        if !names.contains(step.artifact) {
            let hint = NearestName.hint(step.artifact, among: names)
            error(
                path["artifact"],
                "the plan has no artifact `\(step.artifact)`"
                    + (hint.isEmpty ? "; it has " + Self.listed(names) : hint))
        }
        checkWritten(step.destination, path["destination"], as: "files")
        if let link = step.link { checkWritten(link, path["link"], as: "files") }
    }

    private mutating func checkServiceStep(_ step: ServiceStep, _ path: PlanPath) {
        let services = plan.components.filter {
            if case .service = $0.driver { true } else { false }
        }.map(\.name.rawValue)
        guard let component = plan.components.first(where: { $0.name == step.component }) else {
            let hint = NearestName.hint(
                step.component.rawValue, among: plan.components.map(\.name.rawValue))
            return error(
                path,
                "the plan has no component `\(step.component)`"
                    + (hint.isEmpty ? "; its services are " + Self.listed(services) : hint))
        }
        switch component.driver {
        case .service, .unknown: break
        case .files, .config, .flags, .sqlite, .package, .postgres, .btrfs, .command:
            error(
                path,
                "component `\(component.name)` has the driver `\(component.driver.name)`, it is no "
                    + "service; the plan's services are " + Self.listed(services))
        }
    }

    private mutating func checkFlags(_ step: FlagsStep, _ path: PlanPath) {
        checkWritten(step.path, path["path"], as: "flags")
        if step.set.isEmpty && step.define.isEmpty {
            error(path, "a flags step needs `set` or `define`; it would change nothing")
        }
        for (flag, variant) in step.set.sorted(by: { $0.key < $1.key }) {
            if variant.isEmpty { error(path["set"][flag], "a variant has a name") }
            checkTemplate(variant, path["set"][flag])
        }
        for (flag, definition) in step.define.sorted(by: { $0.key < $1.key }) {
            checkTemplate(definition, path["define"][flag])
            if JSONText(definition) == nil {
                error(path["define"][flag], "expected \(Shape.json.expected)")
            }
        }
    }

    private mutating func checkConfig(_ step: ConfigStep, _ path: PlanPath) {
        checkWritten(step.path, path["path"], as: "config")
        checkTemplate(step.template, path["template"])
        if let mode = step.mode, mode.count > 4 || mode.isEmpty || Int(mode, radix: 8) == nil {
            error(path["mode"], "expected an octal mode such as `0640`, found `\(mode)`")
        }
    }

    private mutating func checkWait(_ step: WaitStep, _ path: PlanPath) {
        switch (step.span, step.until) {
        case (nil, nil): error(path, "a wait needs `span` or `until`")
        case (.some, .some): error(path, "a wait has `span` or `until`, not both")
        case (.some(let span), nil): checkSpan(span, atLeast: 1, path["span"])
        case (nil, .some(let check)): checkCheck(check, path["until"])
        }
    }

    /// A path that a step writes: a component must capture it, or no rollback takes it back.
    /// `driver` is the one that fits best.
    mutating func checkWritten(_ text: String, _ path: PlanPath, as driver: String) {
        let before = problems.count
        checkPath(text, path)
        guard problems.count == before, !isCaptured(text, asDatabase: driver == "sqlite") else {
            return
        }
        let isOne = driver == "flags" || driver == "sqlite"
        let example = isOne ? "path: \(text)" : "paths: [\(text)]"
        error(
            path,
            "`\(text)` belongs to no component and would not be taken back; add it to one, for "
                + "example `\(driver): {\(example)}`")
    }

    static func listed(_ names: [String]) -> String {
        names.isEmpty ? "none" : names.map { "`\($0)`" }.joined(separator: ", ")
    }
}
