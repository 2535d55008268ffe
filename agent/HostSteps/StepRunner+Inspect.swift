package import FleetWire
package import HostProcesses
import HostSnapshots

extension StepRunner {
    /// What a step would change; reads only. One change a step; `none` if it would do nothing. A
    /// step that could not run says why in `detail`, with the action `none`.
    package func inspect(
        _ step: StepSpec, in stage: Stage, of plan: HostPlan, context: TemplateContext
    ) async -> [PlannedChange] {
        let runner = self
        let place = StepPlace(root: root, context: context)
        var change: PlannedChange = await OwnThread.run { _ in
            do {
                return try runner.look(at: step.action, plan, place)
            } catch {
                return PlannedChange(
                    step: "", subject: subject(of: step.action), action: "none",
                    detail: "it would fail: \(error)")
            }
        }
        change.step = "\(stage.rawValue)/\(step.name)"
        change.subject = HostPath.asPlanned(change.subject, root: root)
        change.detail = HostPath.asPlanned(Redactor.redact(change.detail), root: root)
        return [change]
    }

    private func look(
        at action: StepAction, _ plan: HostPlan, _ place: StepPlace
    ) throws -> PlannedChange {
        switch action {
        case .artifact(let step):
            return Self.change(
                try ArtifactAction(place: place, plan: plan, artifacts: artifacts).target(step))
        case .config(let step):
            return Self.change(try ConfigAction(place: place).change(step))
        case .flags(let step):
            let found = try FlagsAction(place: place).change(step)
            return Self.planned(
                found.path, found.lines.isEmpty ? "none" : "modify",
                found.lines.joined(separator: "\n"))
        case .sqlite(let step):
            let (path, version, migrations) = try SQLiteAction(place: place).pending(step)
            guard let target = migrations.last?.version else {
                return Self.planned(path, "none", "user_version \(version)")
            }
            return Self.planned(path, "migrate", "user_version \(version) -> \(target)")
        case .service(let step):
            return try look(at: step, plan)
        case .run(let step):
            let run = try place.context.processRun(of: step, timeout: .zero)
            return Self.planned(run.argv[0], "run", run.argv.joined(separator: " "))
        case .wait(let step):
            let until = step.until.map { "until \($0.name) passes" }
            return Self.planned(
                "wait", "none",
                [step.span?.text, until].compactMap { $0 }.joined(
                    separator: ", "))
        case .unknown(let name):
            throw StepFailure("this agent does not know steps of kind \(name)")
        }
    }

    private func look(at step: ServiceStep, _ plan: HostPlan) throws -> PlannedChange {
        let name = step.component.rawValue
        let control = try ServiceAction(services: services, plan: plan).control(step.component)
        let runs = try services.isActive(control)
        let now = runs ? "it runs now" : "it is stopped now"
        switch step.verb {
        case .start: return Self.planned(name, runs ? "none" : "start", now)
        case .stop: return Self.planned(name, runs ? "stop" : "none", now)
        case .restart: return Self.planned(name, "restart", now)
        }
    }

    private static func change(_ target: ArtifactAction.Target) -> PlannedChange {
        let now =
            target.isUnpacked
            ? "unpacked already" : target.isPresent ? "present with other content" : "absent"
        var detail = "\(target.reference.name) (\(target.reference.digest.short)): \(now)"
        if let link = target.link {
            detail += "\n\(link): \(target.linkNow ?? "absent") -> \(target.linkText)"
        }
        let action =
            !target.isUnpacked
            ? (target.isPresent ? "modify" : "create") : target.isLinked ? "none" : "switch"
        return planned(target.destination, action, detail)
    }

    private static func change(_ change: ConfigAction.Change) -> PlannedChange {
        let old = String(decoding: change.existing?.bytes ?? [], as: UTF8.self)
        let new = String(decoding: change.wanted, as: UTF8.self)
        // Redacted as whole texts: a diff's prefixes would hide the begin and end of a key block.
        let detail = TextDiff.unified(
            Redactor.redact(old), Redactor.redact(new), path: change.path)
        let action = change.isNothing ? "none" : change.existing == nil ? "create" : "modify"
        return planned(
            change.path, action,
            detail.isEmpty && !change.isNothing ? "only redacted values differ" : detail)
    }

    private static func planned(
        _ subject: String, _ action: String, _ detail: String
    ) -> PlannedChange {
        PlannedChange(step: "", subject: subject, action: action, detail: detail)
    }
}

private func subject(of action: StepAction) -> String {
    switch action {
    case .artifact(let step): step.destination
    case .run(let step): step.argv.first ?? "/bin/sh"
    case .service(let step): step.component.rawValue
    case .flags(let step): step.path
    case .config(let step): step.path
    case .sqlite(let step): step.path
    case .wait: "wait"
    case .unknown(let name): name
    }
}
