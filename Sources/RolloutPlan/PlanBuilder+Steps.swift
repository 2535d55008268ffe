import FleetWire
import Validation

extension PlanBuilder {
    func step(_ value: PlacedValue, at path: PlanPath) -> StepSpec {
        StepSpec(
            name: value["name"]?.text ?? "", action: action(value, at: path),
            timeout: value["timeout"]?.span ?? .seconds(60),
            attempts: value["attempts"]?.integer ?? 1,
            retryDelay: value["retry_delay"]?.span ?? .seconds(1),
            irreversible: value["irreversible"]?.boolean ?? false,
            network: value["network"]?.boolean ?? false, phase: value["phase"]?.text)
    }

    func check(_ value: PlacedValue) -> CheckSpec {
        let kind = kind(value)
        let level = ValidatorCatalog.spec(kind.name)?.level ?? .critical
        return CheckSpec(
            name: value["name"]?.text ?? "", kind: kind,
            level: value["level"]?.text.flatMap(CheckLevel.init) ?? level,
            timeout: value["timeout"]?.span ?? .seconds(10), phase: value["phase"]?.text,
            onUnknown: value["on_unknown"]?.text.flatMap(UnknownPolicy.init))
    }

    private func action(_ value: PlacedValue, at path: PlanPath) -> StepAction {
        if let step = value["artifact"] {
            return .artifact(
                ArtifactStep(
                    artifact: step["artifact"]?.text ?? "",
                    destination: step["destination"]?.text ?? "", link: step["link"]?.text))
        }
        if let step = value["run"] { return .run(run(step)) }
        if let step = value["service"] {
            return .service(
                ServiceStep(
                    component: ComponentName(unchecked: step["component"]?.text ?? ""),
                    verb: step["verb"]?.text.flatMap(ServiceStep.Verb.init) ?? .restart))
        }
        if let step = value["flags"] {
            return .flags(
                FlagsStep(
                    path: step["path"]?.text ?? "", set: step["set"]?.textsByName ?? [:],
                    define: step["define"]?.textsByName ?? [:]))
        }
        if let step = value["config"] {
            return .config(
                ConfigStep(
                    path: step["path"]?.text ?? "",
                    template: text("template", of: step, at: path["config"]),
                    mode: step["mode"]?.text))
        }
        if let step = value["sqlite"] { return .sqlite(sqlite(step, at: path["sqlite"])) }
        if let step = value["wait"] {
            return .wait(WaitStep(span: step["span"]?.span, until: step["until"].map(check)))
        }
        return .unknown("")
    }

    private func run(_ value: PlacedValue) -> RunStep {
        RunStep(
            argv: value["argv"]?.texts ?? [], shell: value["shell"]?.text,
            env: value["env"]?.textsByName ?? [:], directory: value["directory"]?.text)
    }

    private func sqlite(_ value: PlacedValue, at path: PlanPath) -> SQLiteStep {
        let migrations = (value["migrations"]?.list ?? []).enumerated().map { index, migration in
            SQLiteStep.Migration(
                version: migration["version"]?.integer ?? 0,
                sql: text("sql", of: migration, at: path["migrations"][index]))
        }
        return SQLiteStep(path: value["path"]?.text ?? "", migrations: migrations)
    }

    /// The text of `key`, or the content of the file that `key`_file names.
    private func text(_ key: String, of value: PlacedValue, at path: PlanPath) -> String {
        if let text = value[key]?.text { return text }
        guard let file = value[key + "_file"]?.text else { return "" }
        // Problems of the file and of its text stand at one path, so that only the first is told.
        return inline(file, path[key]) ?? ""
    }

    private func kind(_ value: PlacedValue) -> CheckKind {
        for entry in value.entries {
            guard let spec = ValidatorCatalog.spec(entry.key) else { continue }
            return CheckKind(
                spec.call(ValidatorShape.parameters(entry.value, of: spec.parameters)))
        }
        return .unknown("")
    }
}
