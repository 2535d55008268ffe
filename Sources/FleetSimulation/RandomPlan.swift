import FleetWire
package import RolloutPlan

/// A small plan by seed, so that many seeds also try many plans.
package enum RandomPlan {
    /// A plan of three to eight hosts in up to three domains.
    package static func make(seed: UInt64) -> ResolvedPlan {
        var random = SimulationRandom(seed: seed ^ 0x5EED_0F91_A115)
        let count = random.number(3...8)
        let hosts = (0..<count).map { number in
            let domain = ["a", "b", "c"][number % 3]
            return ResolvedHost(
                id: HostID(unchecked: "\(domain)\(number / 3 + 1)"), labels: ["zone": domain],
                domain: domain)
        }
        let limits = RolloutLimits(
            parallelMax: random.number(1...4), unavailableMax: random.number(1...3),
            unavailablePerDomainMax: random.chance(500) ? 1 : nil,
            stageDeadline: .seconds(Int64(random.number(60...300))),
            migrationDeadline: .seconds(Int64(random.number(120...600))),
            unreachableAfter: .seconds(Int64(random.number(30...90))))
        let budget = FailureBudget(
            fleet: random.number(0...3), wave: random.chance(300) ? 1 : nil,
            domain: random.chance(300) ? 1 : nil)
        let reaction: RollbackPolicy.Reaction =
            random.pick([.rollback, .rollback, .rollback, .pause, .abort]) ?? .rollback
        return ResolvedPlan(
            name: "random", planDigest: digest, artifacts: artifacts(&random), hosts: hosts,
            waves: waves(hosts.map(\.id), &random), limits: limits, budget: budget,
            rollback: RollbackPolicy(onExhausted: reaction), needsApproval: random.chance(100),
            work: work(&random))
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

    private static func waves(
        _ hosts: [HostID], _ random: inout SimulationRandom
    ) -> [ResolvedWave] {
        var left = hosts
        var waves: [ResolvedWave] = []
        while !left.isEmpty {
            let size = waves.count == 2 ? left.count : random.number(1...left.count)
            var gates: [ResolvedGate] = []
            if random.chance(500) {
                gates.append(
                    ResolvedGate(
                        name: "healthy", probe: .checks([check("gate")]), every: .seconds(5),
                        inconclusiveFor: .seconds(60)))
            }
            if random.chance(100) {
                gates.append(
                    ResolvedGate(
                        name: "go", probe: .approval(ApprovalRule()), every: .seconds(5),
                        inconclusiveFor: .seconds(60)))
            }
            waves.append(
                ResolvedWave(
                    name: "w\(waves.count + 1)", hosts: Array(left.prefix(size)),
                    soak: .seconds(Int64(random.number(0...10))), gates: gates))
            left.removeFirst(size)
        }
        return waves
    }

    private static func work(_ random: inout SimulationRandom) -> PlannedWork {
        let components = (0..<random.number(1...3)).map {
            ComponentSpec(
                name: ComponentName(unchecked: "c\($0 + 1)"),
                driver: .config(paths: ["/etc/c\($0 + 1)"]), restart: true)
        }
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
            let last = StepSpec(name: "clean", action: .wait(WaitStep(span: .zero, until: nil)))
            stages.append(StageSpec(stage: .finalization, steps: [last], checks: []))
        }
        return PlannedWork(
            variables: [:], components: components, stages: stages,
            confirmWithin: .seconds(Int64(random.number(30...120))),
            coordinatorLost: random.pick([.hold, .hold, .commitIfValid, .rollback]) ?? .hold)
    }

    private static func check(_ name: String) -> CheckSpec {
        CheckSpec(
            name: name, kind: .http(HTTPCheck(url: "http://127.0.0.1/", status: [], contains: nil)),
            timeout: .seconds(5))
    }
}
