import FleetWire
import RolloutChecklist
import RolloutCore
import RolloutPlan

/// What a test says of a plan; the first letter of a host's name is its domain.
struct Scenario {
    var hosts: [String] = []
    var offline: Set<String> = []
    var waves: [ResolvedWave] = []
    var parallel = 2
    var unavailable = 2
    var perDomain: Int?
    var budget = FailureBudget(fleet: 0, wave: nil, domain: nil)
    var reaction = RollbackPolicy.Reaction.rollback
    var approval = false
    var unreachable = Milliseconds.seconds(60)
    /// The one step of the plan cannot be taken back; who opens the gate before it.
    var pointOfNoReturn: ApprovalRule?
    /// The step that cannot be taken back is not the one of migration but a further one, of
    /// finalization.
    var returnsUntilFinalization = false
    /// By component: those that its old state works with.
    var compatible: [String: [ComponentName]] = [:]
    var pace = RolloutPace()
    var absence = AbsencePolicy()
    var isQueued = false
    var waitsFor: [String] = []
    var checklist: [ChecklistItem]?

    static let start = Timestamp(milliseconds: 1_000_000)
    static let rollout = RolloutID(unchecked: "r1")
    static let digest = Digest(String(repeating: "ab", count: 32))

    var plan: ResolvedPlan? {
        guard let digest = Self.digest else { return nil }
        let step = StepSpec(
            name: "switch",
            action: .run(RunStep(argv: ["/bin/true"], shell: nil, env: [:], directory: nil)),
            irreversible: pointOfNoReturn != nil && !returnsUntilFinalization)
        var stages = [StageSpec(stage: .migration, steps: [step], checks: [])]
        if returnsUntilFinalization {
            let forget = StepSpec(name: "forget", action: step.action, irreversible: true)
            stages.append(StageSpec(stage: .finalization, steps: [forget], checks: []))
        }
        return ResolvedPlan(
            name: "demo", planDigest: digest, artifacts: [],
            hosts: waves.flatMap(\.hosts).map {
                ResolvedHost(id: $0, labels: [:], domain: String($0.rawValue.prefix(1)))
            },
            waves: waves,
            limits: RolloutLimits(
                parallelMax: parallel, unavailableMax: unavailable,
                unavailablePerDomainMax: perDomain, stageDeadline: .seconds(600),
                migrationDeadline: .seconds(900), unreachableAfter: unreachable),
            budget: budget, rollback: RollbackPolicy(onExhausted: reaction),
            needsApproval: approval,
            work: PlannedWork(
                variables: [:], components: Self.components,
                stages: stages,
                confirmWithin: .seconds(120), coordinatorLost: .hold), pace: pace,
            absence: absence,
            returning: ReturnPolicy(
                pointOfNoReturn: pointOfNoReturn,
                compatibleWith: compatible), checklist: checklist)
    }

    static let components = [
        ComponentSpec(
            name: ComponentName(unchecked: "app"),
            driver: .files(paths: ["/opt/app"], exclude: [], data: false), restart: false),
        ComponentSpec(
            name: ComponentName(unchecked: "flags"), driver: .flags(path: "/etc/flags.json"),
            restart: false),
    ]

    var created: RolloutEvent? {
        guard let plan else { return nil }
        let connected = plan.hosts.map(\.id).filter { !offline.contains($0.rawValue) }
        return .created(
            RolloutDefinition(
                plan: plan, connected: connected, isQueued: isQueued,
                waitsFor: waitsFor.map { RolloutID(unchecked: $0) }), id: Self.rollout, by: "ada",
            at: Self.start)
    }

    mutating func addWave(
        _ name: String, _ hosts: [String], soak: Milliseconds = .zero, gates: [ResolvedGate] = [],
        growth: WaveGrowth? = nil
    ) {
        self.hosts += hosts
        waves.append(
            ResolvedWave(
                name: name, hosts: hosts.map { HostID(unchecked: $0) }, soak: soak, gates: gates,
                growth: growth))
    }

    /// A calendar whose readings the tests make up.
    static let calendar = WorkCalendar(zone: "UTC", windows: [], freezes: [])

    static func gate(_ name: String, manual: Bool = false) -> ResolvedGate {
        let check = CheckSpec(
            name: "health", kind: .http(HTTPCheck(url: "http://h/", status: [], contains: nil)))
        return ResolvedGate(
            name: name, probe: manual ? .approval(ApprovalRule()) : .checks([check]),
            every: .seconds(5),
            inconclusiveFor: .seconds(20))
    }

    static func gate(
        _ name: String, _ probe: GateProbe, onNoData: ResolvedGate.NoData = .inconclusive
    ) -> ResolvedGate {
        ResolvedGate(
            name: name, probe: probe, every: .seconds(5), inconclusiveFor: .seconds(20),
            onNoData: onNoData)
    }

    /// One probe of every kind that asks something else than the hosts.
    static let probes: [String: GateProbe] = [
        "metric": .metric(
            MetricRule(
                metric: "errors", aggregate: .p95, comparison: .below, limit: 1,
                window: .seconds(300), samplesMin: 5)),
        "webhook": .webhook(WebhookRule(url: "http://gate/", timeout: .seconds(10))),
        "prometheus": .prometheus(
            PrometheusRule(
                url: "http://prometheus/", query: "up", comparison: .atLeast, limit: 1,
                samplesMin: 1, timeout: .seconds(10))),
    ]

    static func result(_ status: CheckStatus) -> CheckResult {
        CheckResult(
            name: "health", kind: "http", level: .critical, status: status,
            measured: "status 500", remedy: nil, took: .zero)
    }
}

/// What a host answers to an order when nothing goes wrong.
func answers(to order: TransactionOrder) -> [TransactionReport] {
    func report(_ kind: ReportKind) -> TransactionReport {
        TransactionReport(
            sequence: 0, rollout: order.rollout, attempt: order.attempt, at: Scenario.start,
            kind: kind)
    }
    switch order.verb {
    case .prepare: return [report(.prepared)]
    case .validate: return [report(.validated)]
    case .migrate:
        var captured = report(.captured)
        if let digest = Scenario.digest {
            captured.point = PointSummary(
                id: PointID(unchecked: "p1"), at: Scenario.start, reason: "before migration",
                rollout: order.rollout, components: [], digest: digest)
        }
        var began = report(.stepStarted)
        began.stage = .migration
        began.step = StepReport(index: 0, name: "switch", phase: nil, attempt: 1, outcome: nil)
        var ended = began
        ended.kind = .stepFinished
        ended.step?.outcome = StepOutcome(
            status: .done, message: "ok", output: "", took: .seconds(1))
        return [captured, report(.guarded), began, ended, report(.verified)]
    case .confirm: return [report(.confirmed)]
    case .commit: return [report(.committed)]
    case .rollback:
        var back = report(.rolledBack)
        back.scope = order.scope
        back.by = .agent
        back.took = .seconds(2)
        return [report(.rollingBack), back]
    case .release: return [report(.released)]
    }
}
