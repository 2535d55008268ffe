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
            let gatePath = path["gates"][index]
            if gate.manual && !gate.checks.isEmpty {
                error(gatePath, "a gate has `checks` or is `manual`, not both; write two gates")
            } else if !gate.manual && gate.checks.isEmpty {
                error(
                    gatePath,
                    "a gate needs `checks`, or `manual: true`; without either it never opens")
            }
            checkSpan(gate.every, atLeast: 100, gatePath["every"])
            checkSpan(gate.inconclusiveFor, atLeast: 0, gatePath["inconclusive_for"])
            checkChecks(gate.checks, gatePath["checks"])
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
