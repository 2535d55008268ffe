import FleetWire

extension PlanChecker {
    mutating func checkStrategy(_ path: PlanPath) {
        let strategy = plan.strategy
        checkCount(strategy.parallelMax, atLeast: 1, path["max_parallel"])
        checkCount(strategy.unavailableMax, atLeast: 1, path["max_unavailable"])
        if let count = strategy.unavailablePerDomainMax {
            checkCount(count, atLeast: 1, path["max_unavailable_per_domain"])
            if strategy.domain == nil {
                error(
                    path["max_unavailable_per_domain"],
                    "this needs `domain`, the label that names a host's failure domain",
                    atKey: true)
            }
        }
        if strategy.domain?.isEmpty == true { error(path["domain"], "a label has a name") }
        checkPace(path)
        checkNames(strategy.waves.map(\.name), of: "wave", path["waves"])
        for (index, wave) in strategy.waves.enumerated() {
            checkWave(wave, path["waves"][index])
        }
    }

    private mutating func checkWave(_ wave: Plan.Wave, _ path: PlanPath) {
        if let size = wave.size { checkCount(size, atLeast: 1, path["count"]) }
        checkSelector(wave.selector, path["selector"])
        checkHosts(wave.hosts, path["hosts"])
        checkSpan(wave.soak, atLeast: 0, path["soak"])
        checkNames(wave.gates.map(\.name), of: "gate", path["gates"])
        for (index, gate) in wave.gates.enumerated() {
            checkGate(gate, path["gates"][index])
        }
        checkCover(wave.cover, path["cover"])
        if let growth = wave.growth { checkGrowth(growth, path["grow"]) }
    }

    private mutating func checkCover(_ cover: [String]?, _ path: PlanPath) {
        guard let cover else { return }
        var seen: Set<String> = []
        for (index, name) in cover.enumerated() {
            if name.isEmpty {
                error(path[index], "a fact or label has a name")
            } else if !seen.insert(name).inserted {
                error(path[index], "`\(name)` is named twice")
            }
        }
    }

    private mutating func checkGrowth(_ growth: WaveGrowth, _ path: PlanPath) {
        checkRange(growth.from, 1...Count.numberMax, path["from"])
        checkRange(growth.factor, 2...100, path["factor"])
        let counts = [plan.strategy.parallelMax, plan.strategy.unavailableMax]
        let most = counts.compactMap { count in
            if case .number(let number) = count { number } else { nil }
        }.min()
        if let most, growth.from >= most {
            warn(
                path,
                "nothing grows here: at most \(most) hosts go at once, see `max_parallel` and "
                    + "`max_unavailable`", atKey: true)
        }
    }

    private mutating func checkPace(_ path: PlanPath) {
        let pace = plan.strategy.pace
        if let span = pace.progressDeadline {
            checkSpan(span, atLeast: 1000, path["progress_deadline"])
        }
        if let span = pace.healthyDeadline {
            checkSpan(span, atLeast: 1000, path["healthy_deadline"])
            if span >= plan.deadlines.migration {
                warn(
                    path["healthy_deadline"],
                    "this never ends first: `deadlines.migration` of "
                        + "\(plan.deadlines.migration.friendly) counts from an earlier moment")
            }
        }
        if let calendar = pace.calendar { checkCalendar(calendar, path["windows"]) }
        if pace.rehearses { checkRehearsal(path["rehearse"]) }
        let absence = plan.strategy.absence
        if absence.converges && absence.late != .skip {
            error(
                path["converge"],
                "this needs `late: skip`; with `late: \(absence.late.rawValue)` no host is left "
                    + "behind", atKey: true)
        }
        if !(1...100).contains(absence.massLossPercent) || absence.massLossHostsMin < 1 {
            error(path["mass_loss"], "expected \(Shape.percentage.expected)")
        }
    }

    /// The canary comes back, so all that it ran must be something that can be taken back, and
    /// there must be something to compare.
    private mutating func checkRehearsal(_ path: PlanPath) {
        if plan.components.isEmpty {
            error(
                path, "the plan has no components; a rehearsal could compare nothing", atKey: true)
        }
        for work in plan.stages where work.stage == .migration || work.stage == .verification {
            for step in work.steps where step.irreversible {
                error(
                    path,
                    "the canary cannot come back from step `\(step.name)`, which is irreversible; "
                        + "move it to finalization, or do not rehearse", atKey: true)
            }
        }
    }

    mutating func checkRange(_ number: Int, _ range: ClosedRange<Int>, _ path: PlanPath) {
        if !range.contains(number) {
            error(path, "expected \(Shape.integer(range).expected), found `\(number)`")
        }
    }

    mutating func checkQuantities(_ path: PlanPath) {
        checkCount(plan.budget.fleet, atLeast: 0, path["budget"]["fleet"])
        if let wave = plan.budget.wave { checkCount(wave, atLeast: 0, path["budget"]["wave"]) }
        if let domain = plan.budget.domain {
            checkCount(domain, atLeast: 0, path["budget"]["domain"])
            if plan.strategy.domain == nil {
                error(
                    path["budget"]["domain"],
                    "this needs `strategy.domain`, the label that names a host's failure domain",
                    atKey: true)
            }
        }
        checkSpan(plan.confirmWithin, atLeast: 1000, path["confirm_within"])
        let deadlines = path["deadlines"]
        checkSpan(plan.deadlines.stage, atLeast: 1000, deadlines["stage"])
        checkSpan(plan.deadlines.migration, atLeast: 1000, deadlines["migration"])
        checkSpan(plan.deadlines.unreachable, atLeast: 1000, deadlines["unreachable"])
    }

    private mutating func checkCount(_ count: Count, atLeast: Int, _ path: PlanPath) {
        let least = if case .number(let number) = count { number >= atLeast } else { true }
        if !count.isInRange || !least {
            error(
                path,
                "expected \(Shape.count(atLeast: atLeast).expected), found `\(count.friendly)`")
        }
    }

    mutating func checkSpan(_ span: Milliseconds, atLeast: Int64, _ path: PlanPath) {
        if span.count < atLeast || span.count > 365 * 86_400_000 {
            error(path, "expected \(Shape.span(atLeast: atLeast).expected), at most 365d")
        }
    }
}
