import FleetWire

/// What can be wrong with a plan by itself, without a fleet and without its file. The loader and
/// `Plan.resolve` both ask it.
struct PlanChecker {
    let plan: Plan
    let zones: ZoneLookup?
    private(set) var problems: [PlacedProblem] = []

    static func problems(in plan: Plan, zones: ZoneLookup?) -> [PlacedProblem] {
        var checker = PlanChecker(plan: plan, zones: zones)
        checker.checkAll()
        return checker.problems
    }

    private init(plan: Plan, zones: ZoneLookup?) {
        self.plan = plan
        self.zones = zones
    }

    mutating func error(
        _ path: PlanPath, _ message: String, atKey: Bool = false, offset: Int? = nil
    ) {
        problems.append(
            PlacedProblem(
                severity: .error, path: path, atKey: atKey, offset: offset, message: message))
    }

    mutating func warn(_ path: PlanPath, _ message: String, atKey: Bool = false) {
        problems.append(
            PlacedProblem(severity: .warning, path: path, atKey: atKey, message: message))
    }

    private mutating func checkAll() {
        let root = PlanPath()
        // 64 leaves room for the suffix that makes a rollout id of it.
        if RolloutID(plan.name) == nil || plan.name.utf8.count > 64 {
            error(
                root["name"],
                "`\(plan.name)` is not a name; expected 1 to 64 of letters, digits, `-`, `_` and "
                    + "`.`, with a letter or digit first and last")
        }
        checkTargets(root["targets"])
        checkVariables(root["variables"])
        checkArtifacts(root["artifacts"])
        checkComponents(root["components"])
        checkStrategy(root["strategy"])
        checkQuantities(root)
        checkStages(root["stages"])
        checkReturning(root)
        checkChecklist(root["checklist"])
        if let bytes = try? WireJSON.encode(plan), bytes.count > PlanLimits.planBytesMax {
            error(
                root,
                "the plan has \(bytes.count / 1024) KiB with the files that it inlines; at most "
                    + "\(PlanLimits.planBytesMax / 1024) KiB can be sent, put large files into an "
                    + "artifact")
        }
    }

    private mutating func checkTargets(_ path: PlanPath) {
        if plan.targets.selector == nil && plan.targets.hosts.isEmpty {
            error(path, "targets need `selector` or `hosts`")
        }
        checkSelector(plan.targets.selector, path["selector"])
        checkHosts(plan.targets.hosts, path["hosts"])
    }

    mutating func checkSelector(_ selector: String?, _ path: PlanPath) {
        guard let selector else { return }
        do {
            _ = try Selector(parsing: selector)
        } catch {
            self.error(
                path, "selector, column \(error.column): \(error.message)",
                offset: error.column - 1)
        }
    }

    mutating func checkHosts(_ hosts: [HostID], _ path: PlanPath) {
        var seen: Set<HostID> = []
        for (index, host) in hosts.enumerated() {
            if HostID(host.rawValue) == nil {
                error(path[index], "`\(host)` is not the name of a host")
            } else if !seen.insert(host).inserted {
                error(path[index], "host `\(host)` is named twice")
            }
        }
    }

    private mutating func checkVariables(_ path: PlanPath) {
        for name in plan.variables.keys.sorted() where !Self.isTemplateName(name) {
            error(
                path[name],
                "`\(name)` cannot be written in a template; expected letters, digits, `-`, `_` "
                    + "and `.`", atKey: true)
        }
    }

    private mutating func checkArtifacts(_ path: PlanPath) {
        var seen: Set<String> = []
        for artifact in plan.artifacts {
            if ComponentName(artifact.name) == nil {
                error(path[artifact.name], "`\(artifact.name)` is not a name", atKey: true)
            } else if !seen.insert(artifact.name).inserted {
                error(path[artifact.name], "artifact `\(artifact.name)` stands twice", atKey: true)
            }
        }
    }

    /// Reports names that are empty or stand twice among `names`.
    mutating func checkNames(_ names: [String], of what: String, _ path: PlanPath) {
        var first: [String: Int] = [:]
        for (index, name) in names.enumerated() {
            if name.isEmpty || name.utf8.count > 128 || name.contains(where: \.isNewline) {
                error(path[index]["name"], "a \(what) needs a name of 1 to 128 bytes in one line")
            } else if first.updateValue(index, forKey: name) != nil {
                error(path[index]["name"], "a \(what) before it has the name `\(name)` too")
            }
        }
    }

    static func isTemplateName(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x2F, 0x5F: true
                default: false
                }
            }
    }
}
