import FleetWire

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
        CheckSpec(
            name: value["name"]?.text ?? "", kind: kind(value),
            level: value["level"]?.text.flatMap(CheckLevel.init) ?? .critical,
            timeout: value["timeout"]?.span ?? .seconds(10), phase: value["phase"]?.text)
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
        if let check = value["run"] {
            return .run(RunCheck(run: run(check), contains: check["contains"]?.text))
        }
        if let check = value["http"] {
            return .http(
                HTTPCheck(
                    url: check["url"]?.text ?? "",
                    status: (check["status"]?.list ?? []).compactMap(\.integer),
                    contains: check["contains"]?.text))
        }
        let path = value["disk_space"] ?? value["file_digest"] ?? value["sqlite_integrity"]
        let name = path?["path"]?.text ?? ""
        if let check = value["disk_space"] {
            return .diskSpace(
                DiskSpaceCheck(path: name, bytesMin: check["bytes_min"]?.size ?? ByteCount(0)))
        }
        if let check = value["file_digest"], let digest = check["digest"]?.digest {
            return .fileDigest(FileDigestCheck(path: name, digest: digest))
        }
        if let check = value["sqlite_integrity"] {
            return .sqliteIntegrity(
                SQLiteIntegrityCheck(path: name, userVersion: check["user_version"]?.integer))
        }
        return .unknown("")
    }
}
