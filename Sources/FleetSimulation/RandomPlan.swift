import FleetWire
package import RolloutPlan

/// A small plan by seed, so that many seeds also try many plans.
package enum RandomPlan {
    /// A plan of three to eight hosts in up to three domains, held against them.
    package static func make(seed: UInt64) -> (declared: Plan, resolved: ResolvedPlan) {
        var random = SimulationRandom(seed: seed ^ 0x5EED_0F91_A115)
        let fleet = fleet(&random)
        var plan = Plan(
            name: "random", description: nil,
            targets: Plan.Targets(selector: "zone", hosts: []), variables: [:],
            artifacts: artifacts(&random), components: components(&random),
            strategy: strategy(fleet.count, &random), budget: budget(&random),
            rollback: RollbackPolicy(
                onExhausted: random.pick([.rollback, .rollback, .rollback, .pause, .abort])
                    ?? .rollback),
            confirmWithin: .seconds(Int64(random.number(30...120))),
            coordinatorLost: random.pick([.hold, .hold, .commitIfValid, .rollback]) ?? .hold,
            needsApproval: random.chance(100),
            deadlines: Plan.Deadlines(
                stage: .seconds(Int64(random.number(60...300))),
                migration: .seconds(Int64(random.number(120...600))),
                unreachable: .seconds(Int64(random.number(30...90)))), stages: stages(&random))
        markIrreversible(&plan, seed)
        do {
            return (plan, try plan.resolve(against: fleet))
        } catch {
            preconditionFailure("the random plan of seed \(seed) does not resolve: \(error)")
        }
    }

    private static func fleet(_ random: inout SimulationRandom) -> [FleetHost] {
        (0..<random.number(3...8)).map { number in
            let domain = ["a", "b", "c"][number % 3]
            return FleetHost(
                id: HostID(unchecked: "\(domain)\(number / 3 + 1)"), labels: ["zone": domain])
        }
    }

    private static var digest: Digest {
        // 32 bytes always make a digest.
        guard let digest = Digest(bytes: Array(repeating: 0xAB, count: 32)) else {
            preconditionFailure("a digest of 32 bytes")
        }
        return digest
    }

    private static func artifacts(_ random: inout SimulationRandom) -> [ArtifactRef] {
        random.chance(500) ? [ArtifactRef(name: "app", digest: digest, size: ByteCount(100))] : []
    }

    // MARK: - How many and when

    /// A number, or a percentage of a few hosts that is hardly ever whole.
    private static func count(
        _ numbers: ClosedRange<Int>, _ random: inout SimulationRandom
    ) -> Count {
        random.chance(400)
            ? .percent(random.number(5...60)) : .number(random.number(numbers))
    }

    private static func budget(_ random: inout SimulationRandom) -> Plan.Budget {
        Plan.Budget(
            fleet: count(0...3, &random), wave: random.chance(300) ? .number(1) : nil,
            domain: random.chance(300) ? .number(1) : nil)
    }

    private static func strategy(
        _ hosts: Int, _ random: inout SimulationRandom
    ) -> Plan.Strategy {
        Plan.Strategy(
            waves: waves(hosts, &random), parallelMax: count(1...4, &random),
            unavailableMax: count(1...3, &random), domain: "zone",
            unavailablePerDomainMax: random.chance(500) ? .number(1) : nil, pace: pace(&random),
            absence: absence(&random))
    }

    private static func absence(_ random: inout SimulationRandom) -> AbsencePolicy {
        let late: AbsencePolicy.Late = random.pick([.wait, .wait, .skip, .skip, .fail]) ?? .wait
        return AbsencePolicy(late: late, converges: late == .skip && random.chance(500))
    }

    private static func pace(_ random: inout SimulationRandom) -> RolloutPace {
        RolloutPace(
            progressDeadline: random.chance(200)
                ? .seconds(Int64(random.number(300...900))) : nil,
            healthyDeadline: random.chance(300) ? .seconds(Int64(random.number(60...200))) : nil,
            calendar: random.chance(250)
                ? WorkCalendar(
                    zone: "UTC",
                    windows: [
                        WorkCalendar.WeeklyWindow(days: Array(1...7), from: 0, to: 720)
                    ], freezes: []) : nil,
            rehearses: random.chance(200))
    }

    private static func waves(
        _ hosts: Int, _ random: inout SimulationRandom
    ) -> [Plan.Wave] {
        var left = hosts
        var waves: [Plan.Wave] = []
        while left > 0 {
            let size = waves.count == 2 ? left : random.number(1...left)
            waves.append(
                Plan.Wave(
                    name: "w\(waves.count + 1)", size: .number(size), selector: nil, hosts: [],
                    soak: .seconds(Int64(random.number(0...10))), gates: gates(&random),
                    cover: [],
                    growth: random.chance(200)
                        ? WaveGrowth(from: 1, factor: random.number(2...3)) : nil))
            left -= size
        }
        return waves
    }

    private static func gates(_ random: inout SimulationRandom) -> [ResolvedGate] {
        var gates: [ResolvedGate] = []
        func add(_ name: String, _ probe: GateProbe) {
            gates.append(
                ResolvedGate(
                    name: name, probe: probe, every: .seconds(5), inconclusiveFor: .seconds(60)))
        }
        if random.chance(500) { add("healthy", .checks([check("gate")])) }
        if random.chance(100) { add("go", .approval(ApprovalRule(persons: random.number(1...2)))) }
        return gates
    }

    // MARK: - The work

    private static func components(_ random: inout SimulationRandom) -> [ComponentSpec] {
        (0..<random.number(1...3)).map {
            ComponentSpec(
                name: ComponentName(unchecked: "c\($0 + 1)"),
                driver: .config(paths: ["/etc/c\($0 + 1)"]), restart: true)
        }
    }

    private static func stages(_ random: inout SimulationRandom) -> [StageSpec] {
        let steps = (0..<random.number(1...3)).map { number in
            StepSpec(
                name: "s\(number + 1)",
                action: .run(RunStep(argv: ["/bin/true"], shell: nil, env: [:], directory: nil)),
                timeout: .seconds(10), attempts: random.chance(300) ? 2 : 1,
                retryDelay: .seconds(1), network: random.chance(100))
        }
        let checks = random.chance(850) ? [check("health")] : []
        var stages = [
            StageSpec(stage: .migration, steps: steps, checks: []),
            StageSpec(stage: .verification, steps: [], checks: checks),
        ]
        if random.chance(500) {
            stages.append(StageSpec(stage: .validation, steps: [], checks: [check("ready")]))
        }
        if random.chance(300) {
            let last = StepSpec(
                name: "clean", action: .wait(WaitStep(span: .seconds(1), until: nil)))
            stages.append(StageSpec(stage: .finalization, steps: [last], checks: []))
        }
        return stages
    }

    /// Some plans have a step that cannot be taken back. Drawn apart from all else of the plan.
    private static func markIrreversible(_ plan: inout Plan, _ seed: UInt64) {
        var random = SimulationRandom(seed: seed ^ 0x0E7_0E7A_B1ED)
        guard random.chance(300) else { return }
        let isLast = plan.strategy.pace.rehearses || random.chance(300)
        let stage = isLast ? Stage.finalization : .migration
        guard let place = plan.stages.firstIndex(where: { $0.stage == stage }) else { return }
        let step = random.number(0...(plan.stages[place].steps.count - 1))
        plan.stages[place].steps[step].irreversible = true
        plan.returning.pointOfNoReturn = ApprovalRule()
    }

    private static func check(_ name: String) -> CheckSpec {
        CheckSpec(
            name: name, kind: .http(HTTPCheck(url: "http://127.0.0.1/", status: [], contains: nil)),
            timeout: .seconds(5))
    }
}
