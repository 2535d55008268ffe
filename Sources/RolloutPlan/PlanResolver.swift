import FleetWire

/// Holds one checked plan against one fleet.
struct PlanResolver {
    private let plan: Plan
    private let fleet: [FleetHost]
    private var problems: [PlacedProblem] = []

    init(plan: Plan, fleet: [FleetHost]) {
        self.plan = plan
        self.fleet = fleet
    }

    mutating func resolve() throws(PlanProblems) -> ResolvedPlan {
        let targets = targets()
        if targets.isEmpty && problems.isEmpty { noTargets() }
        checkDomain(of: targets)
        let waves = waves(of: targets)
        guard problems.isEmpty else {
            throw PlanProblems(problems.prefix(PlanLimits.problemsMax).map(\.withoutPlace))
        }
        let byID = Dictionary(targets.map { ($0.id, $0) }) { first, _ in first }
        return ResolvedPlan(
            name: plan.name, planDigest: plan.digest, artifacts: plan.artifacts,
            hosts: waves.flatMap(\.hosts).compactMap { byID[$0] }, waves: waves,
            limits: limits(of: targets), budget: budget(of: targets, waves: waves),
            rollback: plan.rollback, needsApproval: plan.needsApproval,
            work: PlannedWork(
                variables: plan.variables, components: plan.components, stages: plan.stages,
                confirmWithin: plan.confirmWithin, coordinatorLost: plan.coordinatorLost),
            pace: plan.strategy.pace, absence: plan.strategy.absence,
            returning: ReturnPolicy(
                pointOfNoReturn: plan.returning.pointOfNoReturn,
                compatibleWith: plan.returning.compatibleWith,
                quarantineFor: plan.returning.quarantineFor), checklist: plan.checklist)
    }

    /// The hosts of the rollout: domain after domain, the smallest first, within one by id.
    private mutating func targets() -> [ResolvedHost] {
        let path = PlanPath()["targets"]["hosts"]
        var named: Set<HostID> = []
        let known = Set(fleet.map(\.id))
        for (index, host) in plan.targets.hosts.enumerated() {
            if known.contains(host) {
                named.insert(host)
            } else {
                unknownHost(host, at: path[index])
            }
        }
        let selector = plan.targets.selector.flatMap { try? Selector(parsing: $0) }
        var taken: Set<HostID> = []
        let hosts = fleet.filter { host in
            (named.contains(host.id) || selector?.matches(host.labels) == true)
                && taken.insert(host.id).inserted
        }.map { host in
            ResolvedHost(
                id: host.id, labels: host.labels,
                domain: plan.strategy.domain.flatMap { host.labels[$0] } ?? "")
        }
        let sizes = Dictionary(grouping: hosts, by: \.domain).mapValues(\.count)
        return hosts.sorted { left, right in
            (sizes[left.domain] ?? 0, left.domain, left.id.rawValue)
                < (sizes[right.domain] ?? 0, right.domain, right.id.rawValue)
        }
    }

    private mutating func unknownHost(_ host: HostID, at path: PlanPath) {
        // The search looks at the whole fleet; after some names it has shown what it can.
        let hint =
            problems.count < 10
            ? NearestName.hint(host.rawValue, among: fleet.map(\.id.rawValue)) : ""
        note(path, "the fleet has no host `\(host)`\(hint)")
    }

    private mutating func noTargets() {
        let path = PlanPath()["targets"]["selector"]
        guard !fleet.isEmpty else {
            return note(path, "the fleet has no hosts yet; enrol agents first")
        }
        let asked = plan.targets.selector.flatMap { try? Selector(parsing: $0) }?.labels ?? []
        let labels = Set(fleet.flatMap(\.labels.keys))
        let hints = asked.filter { !labels.contains($0) }.map {
            "; no host has the label `\($0)`\(NearestName.hint($0, among: labels))"
        }
        note(
            path,
            "`\(plan.targets.selector ?? "")` matches none of the \(fleet.count) hosts"
                + hints.joined() + "; labels that exist: " + shownLabels())
    }

    private func shownLabels() -> String {
        var values: [String: Set<String>] = [:]
        for host in fleet {
            for (label, value) in host.labels { values[label, default: []].insert(value) }
        }
        if values.isEmpty { return "none" }
        let shown = values.keys.sorted().prefix(20).map { label in
            let all = (values[label] ?? []).sorted()
            let some = all.prefix(5).joined(separator: "|")
            return "\(label)=\(some)\(all.count > 5 ? "|…" : "")"
        }
        return shown.joined(separator: ", ") + (values.count > 20 ? ", …" : "")
    }

    private mutating func checkDomain(of targets: [ResolvedHost]) {
        guard let domain = plan.strategy.domain, !targets.isEmpty,
            !targets.contains(where: { $0.labels[domain] != nil })
        else { return }
        let labels = Set(targets.flatMap(\.labels.keys))
        note(
            PlanPath()["strategy"]["domain"],
            "none of the \(targets.count) targets has the label `\(domain)`"
                + NearestName.hint(domain, among: labels))
    }

    private mutating func note(_ path: PlanPath, _ message: String) {
        problems.append(PlacedProblem(severity: .error, path: path, message: message))
    }
}

extension PlanResolver {
    private mutating func waves(of targets: [ResolvedHost]) -> [ResolvedWave] {
        guard !targets.isEmpty else { return [] }
        let path = PlanPath()["strategy"]["waves"]
        if plan.strategy.waves.isEmpty {
            return [ResolvedWave(name: "all", hosts: targets.map(\.id), soak: .zero, gates: [])]
        }
        let byID = Dictionary(fleet.map { ($0.id, $0) }) { first, _ in first }
        let known = targets.compactMap { byID[$0.id] }
        var left = targets
        var waves: [ResolvedWave] = []
        for (index, wave) in plan.strategy.waves.enumerated() {
            checkHosts(of: wave, at: path[index], targets: targets)
            let selector = wave.selector.flatMap { try? Selector(parsing: $0) }
            let named = Set(wave.hosts)
            let matching = left.filter { host in
                (named.isEmpty || named.contains(host.id))
                    && (selector?.matches(host.labels) ?? true)
            }
            let count = wave.size.map { $0.of(targets.count) } ?? matching.count
            var cover = cover(of: wave, isFirst: index == 0, known, path[index]["cover"])
            cover?.take(waves.flatMap(\.hosts))
            let taken =
                cover?.choose(count, from: matching.map(\.id))
                ?? matching.prefix(count).map(\.id)
            if taken.isEmpty { empty(wave, path[index], matching.count, left.count, targets.count) }
            let gone = Set(taken)
            left.removeAll { gone.contains($0.id) }
            waves.append(
                ResolvedWave(
                    name: wave.name, hosts: taken, soak: wave.soak, gates: wave.gates,
                    growth: wave.growth, uncovered: cover?.uncovered ?? []))
        }
        guard !left.isEmpty else { return waves }
        if waves.contains(where: { $0.name == "rest" }) {
            note(
                path,
                "\(left.count) hosts are in no wave and would form the wave `rest`, but a wave has "
                    + "that name; give it another, or let it take them")
        }
        return waves + [ResolvedWave(name: "rest", hosts: left.map(\.id), soak: .zero, gates: [])]
    }

    /// What the wave's hosts are to cover; nil for nothing.
    private mutating func cover(
        of wave: Plan.Wave, isFirst: Bool, _ hosts: [FleetHost], _ path: PlanPath
    ) -> WaveCover? {
        guard let names = wave.cover else {
            guard isFirst, wave.size != nil else { return nil }
            return WaveCover(WaveCover.defaultNames, hosts: hosts)
        }
        let known = Set(hosts.flatMap { Array($0.labels.keys) + Array($0.facts.keys) })
        for (index, name) in names.enumerated() where !known.contains(name) {
            note(
                path[index],
                "none of the \(hosts.count) targets has a fact or label `\(name)`"
                    + NearestName.hint(name, among: known))
        }
        return WaveCover(names, hosts: hosts)
    }

    private mutating func checkHosts(of wave: Plan.Wave, at path: PlanPath, targets: [ResolvedHost])
    {
        guard !wave.hosts.isEmpty else { return }
        let known = Set(fleet.map(\.id))
        let targeted = Set(targets.map(\.id))
        for (index, host) in wave.hosts.enumerated() where !targeted.contains(host) {
            if known.contains(host) {
                note(path["hosts"][index], "host `\(host)` is not one of the plan's targets")
            } else {
                unknownHost(host, at: path["hosts"][index])
            }
        }
    }

    private mutating func empty(
        _ wave: Plan.Wave, _ path: PlanPath, _ matching: Int, _ left: Int, _ total: Int
    ) {
        let why: String
        if let size = wave.size, matching > 0 {
            why = "\(size.friendly) of \(total) hosts is 0; write a count or a larger percentage"
        } else if left == 0 {
            why = "the waves before it take all \(total) hosts"
        } else {
            why = "none of the \(left) hosts that are left matches"
        }
        note(path, "wave `\(wave.name)` would be empty: \(why)")
    }

    /// Percentages are of the rollout's hosts and round down; 1 is the least that lets it go on.
    private func limits(of targets: [ResolvedHost]) -> RolloutLimits {
        let strategy = plan.strategy
        return RolloutLimits(
            parallelMax: max(1, strategy.parallelMax.of(targets.count)),
            unavailableMax: max(1, strategy.unavailableMax.of(targets.count)),
            unavailablePerDomainMax: strategy.unavailablePerDomainMax.map {
                max(1, $0.of(smallestDomain(of: targets)))
            }, stageDeadline: plan.deadlines.stage, migrationDeadline: plan.deadlines.migration,
            unreachableAfter: plan.deadlines.unreachable)
    }

    private func budget(of targets: [ResolvedHost], waves: [ResolvedWave]) -> FailureBudget {
        let wave = waves.map(\.hosts.count).min() ?? 0
        let domain = smallestDomain(of: targets)
        var budget = FailureBudget(
            fleet: plan.budget.fleet.of(targets.count), wave: plan.budget.wave.map { $0.of(wave) },
            domain: plan.budget.domain.map { $0.of(domain) })
        budget.fleetShare = share(plan.budget.fleet, of: targets.count)
        budget.waveShare = share(plan.budget.wave, of: wave)
        budget.domainShare = share(plan.budget.domain, of: domain)
        return budget
    }

    private func share(_ count: Count?, of total: Int) -> BudgetShare? {
        if case .percent(let percent) = count {
            BudgetShare(percent: percent, of: total)
        } else {
            nil
        }
    }

    /// One number holds for all domains: a percentage is of the smallest, so that it is kept in
    /// every one.
    private func smallestDomain(of targets: [ResolvedHost]) -> Int {
        Dictionary(grouping: targets, by: \.domain).values.map(\.count).min() ?? 0
    }
}
