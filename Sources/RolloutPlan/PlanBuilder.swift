import FleetWire

/// Makes a plan of what was read. What is missing or malformed was reported; in its place stands a
/// neutral value, so that everything else can still be checked and indices stay those of the file.
struct PlanBuilder {
    /// Reads a file that the plan inlines; nil if it cannot be read (then it was reported).
    typealias Inline = (_ name: String, _ path: PlanPath) -> String?

    let inline: Inline
    /// Artifacts by name; hashed before.
    let artifacts: [ArtifactRef]

    func plan(_ value: PlacedValue) -> Plan {
        let targets = value["targets"]
        return Plan(
            name: value["name"]?.text ?? "",
            description: value["description"]?.text,
            targets: Plan.Targets(
                selector: targets?["selector"]?.text, hosts: hosts(targets?["hosts"])),
            variables: value["variables"]?.textsByName ?? [:],
            artifacts: artifacts,
            components: (value["components"]?.entries ?? []).map(component),
            strategy: strategy(value["strategy"]),
            budget: Plan.Budget(
                fleet: value["budget"]?["fleet"]?.count ?? .number(0),
                wave: value["budget"]?["wave"]?.count, domain: value["budget"]?["domain"]?.count),
            rollback: RollbackPolicy(
                onExhausted: value["rollback"]?["on_exhausted"]?.text
                    .flatMap(RollbackPolicy.Reaction.init) ?? .rollback),
            confirmWithin: value["confirm_within"]?.span ?? .seconds(120),
            coordinatorLost: value["coordinator_lost"]?.text.flatMap(CoordinatorLost.init) ?? .hold,
            needsApproval: value["approval"]?.boolean ?? false,
            deadlines: Plan.Deadlines(
                stage: value["deadlines"]?["stage"]?.span ?? .seconds(600),
                migration: value["deadlines"]?["migration"]?.span ?? .seconds(900),
                unreachable: value["deadlines"]?["unreachable"]?.span ?? .seconds(60)),
            stages: stages(value["stages"]), returning: returning(value),
            checklist: checklist(value))
    }

    func hosts(_ value: PlacedValue?) -> [HostID] {
        (value?.texts ?? []).map { HostID(unchecked: $0) }
    }

    private func component(_ entry: PlacedValue.Entry) -> ComponentSpec {
        let value = entry.value
        let driver: ComponentDriver
        if let files = value["files"] {
            driver = .files(
                paths: files["paths"]?.texts ?? [], exclude: files["exclude"]?.texts ?? [],
                data: files["data"]?.boolean ?? false)
        } else if let config = value["config"] {
            driver = .config(
                paths: config["paths"]?.texts ?? [], strict: config["strict"]?.boolean ?? false)
        } else if let flags = value["flags"] {
            driver = .flags(path: flags["path"]?.text ?? "")
        } else if let sqlite = value["sqlite"] {
            driver = .sqlite(path: sqlite["path"]?.text ?? "")
        } else if let service = value["service"] {
            driver = .service(
                ServiceControl(
                    unit: service["unit"]?.text, start: service["start"]?.texts,
                    stop: service["stop"]?.texts, status: service["status"]?.texts))
        } else {
            driver = programDriver(value) ?? .unknown("")
        }
        return ComponentSpec(
            name: ComponentName(unchecked: entry.key), driver: driver,
            restart: value["restart"]?.boolean ?? false,
            crossMounts: value["files"]?["cross_mounts"]?.boolean,
            allowEmpty: value["allow_empty"]?.boolean)
    }

    private func stages(_ value: PlacedValue?) -> [StageSpec] {
        Stage.allCases.compactMap { stage in
            guard let work = value?[stage.rawValue] else { return nil }
            let path = PlanPath()["stages"][stage.rawValue]["steps"]
            let steps = (work["steps"]?.list ?? []).enumerated().map { index, step in
                self.step(step, at: path[index])
            }
            return StageSpec(
                stage: stage, steps: steps, checks: (work["checks"]?.list ?? []).map(check))
        }
    }
}
