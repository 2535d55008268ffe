import AgentCore
import FleetWire

/// Plans, orders and results for tests.
enum Samples {
    static let zeroDigest = Digest(String(repeating: "0", count: 64))
    static let generation = Generation(rawValue: 7)

    static func plan(
        _ rollout: String = "r1", lost: CoordinatorLost = .hold, checks: Bool = true,
        network: Bool = false, attempts: Int = 1, irreversible: Set<String> = []
    ) throws -> HostPlan {
        let digest = try known(zeroDigest)
        let step = { (name: String) in
            StepSpec(
                name: name,
                action: .run(RunStep(argv: ["/bin/true"], shell: nil, env: [:], directory: nil)),
                timeout: .seconds(30), attempts: attempts,
                irreversible: irreversible.contains(name),
                network: network)
        }
        let check = CheckSpec(
            name: "health", kind: .http(HTTPCheck(url: "http://h/", status: [], contains: nil)))
        return HostPlan(
            rollout: RolloutID(unchecked: rollout), planDigest: digest, labels: [:], variables: [:],
            artifacts: [ArtifactRef(name: "app", digest: digest, size: ByteCount(1))],
            components: [
                ComponentSpec(
                    name: ComponentName(unchecked: "settings"), driver: .config(paths: ["/etc/x"]),
                    restart: false),
                ComponentSpec(
                    name: ComponentName(unchecked: "flags"), driver: .flags(path: "/etc/f"),
                    restart: false),
            ],
            stages: [
                StageSpec(stage: .preparation, steps: [step("look")], checks: []),
                StageSpec(stage: .migration, steps: [step("drain"), step("switch")], checks: []),
                StageSpec(stage: .verification, steps: [], checks: checks ? [check] : []),
                StageSpec(stage: .finalization, steps: [step("tidy")], checks: []),
            ],
            confirmWithin: .seconds(120), coordinatorLost: lost)
    }

    static func order(
        _ verb: OrderVerb, _ plan: HostPlan, attempt: Int = 1, scope: RollbackScope? = nil,
        across: Bool? = nil, generation: Generation = generation
    ) -> HostEvent {
        let needsPlan = verb == .prepare || verb == .validate || verb == .migrate
        return .order(
            TransactionOrder(
                rollout: plan.rollout, attempt: attempt, verb: verb, plan: needsPlan ? plan : nil,
                scope: scope, acrossPointOfNoReturn: across, why: "test"), generation: generation,
            message: "m1")
    }

    static func point(
        _ components: [ComponentSpec], _ reason: String, _ rollout: RolloutID, at: Timestamp
    ) -> PointSummary {
        PointSummary(
            id: PointID(unchecked: "p\(at.milliseconds)"), at: at, reason: reason, rollout: rollout,
            components: components.map {
                PointComponent(
                    name: $0.name, driver: $0.driver.name, entries: 1, bytes: ByteCount(1))
            }, digest: zeroDigest ?? Digest(unchecked: rollout))
    }

    static func result(_ check: CheckSpec, _ fails: Bool) -> CheckResult {
        CheckResult(
            name: check.name, kind: check.kind.name, level: check.level,
            status: fails ? .fail : .pass, measured: fails ? "status 500" : "status 200",
            remedy: nil, took: Milliseconds(3))
    }

    struct Missing: Error {}
    static func known<Value>(_ value: Value?) throws -> Value {
        guard let value else { throw Missing() }
        return value
    }
}

extension Digest {
    fileprivate init(unchecked rollout: RolloutID) { preconditionFailure("64 zeros are a digest") }
}
