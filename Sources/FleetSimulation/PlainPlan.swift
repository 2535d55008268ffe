import FleetWire
package import RolloutPlan

/// A plan of any size that nothing holds up, for measuring what a run costs.
package enum PlainPlan {
    /// `count` hosts in one domain each hundred, a canary of ten and three further waves.
    package static func make(hosts count: Int) throws(PlanProblems) -> ResolvedPlan {
        let fleet = (0..<count).map { number in
            FleetHost(
                id: HostID(unchecked: "host-\(number + 1)"), labels: ["zone": "z\(number % 100)"])
        }
        let sizes: [Count?] = [.number(min(10, count)), .percent(10), .percent(30), nil]
        let waves = sizes.enumerated().map { number, size in
            Plan.Wave(
                name: "w\(number + 1)", size: size, selector: nil, hosts: [], soak: .seconds(10),
                gates: [])
        }
        let run = RunStep(argv: ["/bin/true"], shell: nil, env: [:], directory: nil)
        let check = CheckSpec(
            name: "health",
            kind: .http(HTTPCheck(url: "http://127.0.0.1/", status: [], contains: nil)),
            timeout: .seconds(5))
        let plan = Plan(
            name: "plain", description: nil,
            targets: Plan.Targets(selector: "zone", hosts: []), variables: [:], artifacts: [],
            components: [
                ComponentSpec(
                    name: ComponentName(unchecked: "config"),
                    driver: .config(paths: ["/etc/plain"]), restart: true)
            ],
            strategy: Plan.Strategy(
                waves: waves, parallelMax: .percent(5), unavailableMax: .percent(5),
                domain: "zone", unavailablePerDomainMax: nil),
            budget: Plan.Budget(fleet: .number(0), wave: nil, domain: nil),
            rollback: RollbackPolicy(onExhausted: .rollback), confirmWithin: .seconds(120),
            coordinatorLost: .hold, needsApproval: false,
            deadlines: Plan.Deadlines(
                stage: .seconds(7200), migration: .seconds(1800), unreachable: .seconds(120)),
            stages: [
                StageSpec(
                    stage: .migration, steps: [StepSpec(name: "change", action: .run(run))],
                    checks: []),
                StageSpec(stage: .verification, steps: [], checks: [check]),
            ])
        return try plan.resolve(against: fleet)
    }
}
