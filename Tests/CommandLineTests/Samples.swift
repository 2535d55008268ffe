import FleetWire
import OperatorAPI
import RolloutCore
import RolloutPlan

@testable import belay

/// Values as a coordinator would give them, for what renders.
enum Samples {
    static let begin = Timestamp(milliseconds: 1_795_500_000_000)
    static let digest = Digest(bytes: (0..<32).map { UInt8($0) })!
    static func after(_ seconds: Int64) -> Timestamp { begin + .seconds(seconds) }
    static func host(_ name: String) -> HostID { HostID(name)! }

    /// A wave's hosts `PREFIX-1…`.
    static func names(_ prefix: String, _ count: Int) -> [HostID] {
        (1...count).map { host("\(prefix)-\($0)") }
    }

    static func host(
        _ id: HostID, wave: String, _ state: HostState, done: Int = 0, since: Int64 = 0
    ) -> RolloutView.HostView {
        var view = RolloutView.HostView(
            id: id, wave: wave, domain: String(id.rawValue.prefix(1)), state: state,
            since: after(since), connected: true, stepsTotal: 12)
        view.stepsDone = done
        view.attempt = state == .pending ? 0 : 1
        return view
    }

    /// Six hosts in the middle of the second wave.
    static func running() -> RolloutView {
        let canary = names("a", 1)
        let zone = [host("a-2"), host("b-1"), host("b-2")]
        let rest = [host("c-1"), host("c-2")]
        var migrating = host(zone[0], wave: "zone-a", .migrating, done: 5, since: 40)
        migrating.stage = .migration
        migrating.phase = "storage"
        migrating.step = "schema-2"
        migrating.changed = true
        var verifying = host(zone[1], wave: "zone-a", .verifying, done: 9, since: 52)
        verifying.stage = .verification
        verifying.phase = "validation"
        verifying.step = "health"
        var hosts = [host(canary[0], wave: "canary", .soaking, done: 11, since: 20)]
        hosts[0].point = PointID("20261124T230501Z-1")
        hosts += [migrating, verifying, host(zone[2], wave: "zone-a", .ready, done: 2, since: 4)]
        hosts += rest.map { host($0, wave: "rest", .ready, done: 2, since: 4) }
        return view(
            state: .running, hosts: hosts,
            waves: [
                .init(
                    name: "canary", state: .passed, hosts: canary, soakUntil: nil,
                    gates: [
                        .init(
                            name: "canary-healthy", manual: false, verdict: .pass,
                            detail: "2 of 2 checks pass on a-1"),
                        .init(name: "go", manual: true, verdict: .pass, detail: "opened by ana"),
                    ]),
                .init(name: "zone-a", state: .migrating, hosts: zone, soakUntil: nil, gates: []),
                .init(
                    name: "rest", state: .waiting, hosts: rest, soakUntil: nil,
                    gates: [.init(name: "go", manual: true, verdict: nil, detail: "")]),
            ],
            why: WhyView(
                waitsFor: "Wave zone-a waits for a-2 and b-1 to be verified", since: after(40),
                next: "b-2 begins its migration", nextAt: nil, hosts: [zone[0], zone[1]]),
            unavailable: 2)
    }

    /// A wave that grows, a rehearsal on its way back, late hosts, and an approval that expires.
    static func paced() -> RolloutView {
        var view = running()
        view.waves[1].growth = .init(atOnce: 2, inRow: 1, next: 4)
        view.rehearsal = .init(
            host: host("a-1"), phase: "back", detail: "is being taken back", restoreTook: nil)
        view.hosts[4].state = .late
        view.hosts[4].connected = false
        view.late = .init(hosts: [host("c-1")], converges: true)
        var gate = RolloutView.GateView(
            name: "change-board", manual: true, verdict: nil,
            detail: "1 of 2 different persons approved by ana (ticket 7)")
        gate.persons = 2
        gate.approvalsHold = .seconds(600)
        gate.approvals = [Approval(by: "ana", at: after(30), reason: "ticket 7")]
        view.waves[0].state = .gating
        view.waves[0].gates[1] = gate
        return view
    }

    static func view(
        state: RolloutState, hosts: [RolloutView.HostView], waves: [RolloutView.WaveView],
        why: WhyView, unavailable: Int
    ) -> RolloutView {
        var view = RolloutView(
            id: RolloutID("registry-2-7f3a")!, name: "registry-2", planDigest: digest,
            by: "operator:ana", state: state, reason: "wave zone-a is under way",
            createdAt: begin, endedAt: nil, waves: waves, hosts: hosts,
            budgets: [
                .init(scope: "fleet", limit: 1, spent: []),
                .init(scope: "wave canary", limit: 0, spent: []),
            ], unavailable: unavailable, unavailableMax: 2, estimatedEnd: after(200), why: why)
        view.sequence = 42
        return view
    }

    /// The same rollout after its canary failed and was taken back.
    static func rolledBack() -> RolloutView {
        var view = running()
        view.name = "registry-2.1"
        view.state = .rolledBack
        view.reason =
            "a-1 failed in verification, more than the 0 hosts that wave canary may lose; all that "
            + "was changed was taken back."
        view.endedAt = after(31)
        view.estimatedEnd = nil
        view.unavailable = 0
        view.waves[0].state = .failed
        view.waves[0].gates[0].verdict = nil
        view.waves[0].gates[1].verdict = nil
        view.waves[1].state = .waiting
        for index in view.hosts.indices {
            view.hosts[index].state = .ready
            view.hosts[index].step = nil
            view.hosts[index].stage = nil
            view.hosts[index].stepsDone = 2
        }
        view.hosts[0].state = .rolledBack
        view.hosts[0].stage = .verification
        view.hosts[0].stepsDone = 9
        view.hosts[0].failure = "health: 500 where 200 was expected"
        view.hosts[0].restoreTook = Milliseconds(840)
        view.budgets = [
            .init(scope: "fleet", limit: 1, spent: [host("a-1")]),
            .init(scope: "wave canary", limit: 0, spent: [host("a-1")]),
        ]
        return view
    }

    /// 600 hosts, of which not all fit on a terminal.
    static func large() -> RolloutView {
        var view = running()
        let names = names("n", 600)
        view.hosts = names.enumerated().map { index, id in
            var one = host(id, wave: index < 6 ? "canary" : "rest", .ready, done: 2, since: 4)
            switch index {
            case ..<200: (one.state, one.stepsDone) = (.soaking, 11)
            case 200..<210:
                (one.state, one.stepsDone) = (.migrating, 6)
                (one.stage, one.step, one.phase) = (.migration, "schema-2", "storage")
            case 210: (one.state, one.failure) = (.failed, "schema-2: disk I/O error on catalog.db")
            case 211: (one.state, one.connected) = (.unreachable, false)
            default: break
            }
            return one
        }
        view.waves[0].hosts = Array(names[..<6])
        view.waves[1].hosts = Array(names[6...])
        view.waves[1].name = "rest"
        view.waves.removeLast()
        view.unavailable = 12
        view.unavailableMax = 20
        view.budgets = [.init(scope: "fleet", limit: 6, spent: [names[210]])]
        return view
    }

    static let plan = Plan(
        name: "registry-2", description: nil, targets: .init(selector: "app=registry", hosts: []),
        variables: [:], artifacts: [], components: [],
        strategy: .init(
            waves: [], parallelMax: .number(1), unavailableMax: .number(1), domain: nil,
            unavailablePerDomainMax: nil),
        budget: .init(fleet: .number(0), wave: nil, domain: nil),
        rollback: RollbackPolicy(onExhausted: .rollback), confirmWithin: .seconds(120),
        coordinatorLost: .hold, needsApproval: false,
        deadlines: .init(stage: .seconds(1), migration: .seconds(1), unreachable: .seconds(1)),
        stages: [])

    static func preview() -> PlanPreview {
        let diff = """
            --- /etc/registry/registry.yaml
            +++ /etc/registry/registry.yaml
            @@ -1,3 +1,3 @@
             port: 9001
            -version: 1
            +version: 2
            """
        let common = [
            PlannedChange(
                step: "migration/switch", subject: "/opt/registry", action: "switch",
                detail: "1.0.0 becomes 2.0.0"),
            PlannedChange(
                step: "migration/schema", subject: "/var/lib/registry/catalog.db",
                action: "migrate", detail: "user_version 1 becomes 2"),
        ]
        let first = PlannedChange(
            step: "migration/settings", subject: "/etc/registry/registry.yaml", action: "modify",
            detail: diff)
        let names = ["a-1", "a-2", "b-1", "b-2", "c-1", "c-2"].map { host($0) }
        let inspections = names.map { name in
            HostInspection(
                host: name,
                inspection: name.rawValue == "c-2"
                    ? nil
                    : Inspection(
                        changes: (name.rawValue == "a-1" ? [first] : []) + common, state: digest,
                        problems: name.rawValue == "b-2" ? ["12.0 MiB free, 80.0 MiB needed"] : []),
                failure: name.rawValue == "c-2" ? "not connected since 22:41:00Z" : nil)
        }
        return PlanPreview(
            plan: resolved(names), digest: digest,
            notes: ["max_unavailable 10% of 6 hosts is 1 (at least 1)"], inspections: inspections)
    }

    private static func resolved(_ names: [HostID]) -> ResolvedPlan {
        let check = CheckSpec(
            name: "health",
            kind: .http(HTTPCheck(url: "http://127.0.0.1/healthz", status: [], contains: nil)))
        let gate = ResolvedGate(
            name: "canary-healthy", probe: .checks([check]), every: .seconds(5),
            inconclusiveFor: .seconds(60))
        let manual = ResolvedGate(
            name: "go", probe: .approval(ApprovalRule()), every: .zero, inconclusiveFor: .zero)
        return ResolvedPlan(
            name: "registry-2", planDigest: digest,
            artifacts: [ArtifactRef(name: "registry", digest: digest, size: ByteCount(1_310_720))],
            hosts: names.map { ResolvedHost(id: $0, labels: [:], domain: "a") },
            waves: [
                ResolvedWave(
                    name: "canary", hosts: [names[0]], soak: .seconds(3), gates: [gate, manual]),
                ResolvedWave(
                    name: "rest", hosts: Array(names[1...]), soak: .seconds(90), gates: []),
            ],
            limits: RolloutLimits(
                parallelMax: 2, unavailableMax: 2, unavailablePerDomainMax: 1,
                stageDeadline: .seconds(600), migrationDeadline: .seconds(900),
                unreachableAfter: .seconds(60)),
            budget: FailureBudget(fleet: 1, wave: 0, domain: nil),
            rollback: RollbackPolicy(onExhausted: .rollback), needsApproval: true,
            work: PlannedWork(
                variables: [:],
                components: [
                    ComponentSpec(
                        name: ComponentName("release")!,
                        driver: .files(paths: ["/opt/registry"], exclude: [], data: false),
                        restart: true),
                    ComponentSpec(
                        name: ComponentName("catalog")!,
                        driver: .sqlite(path: "/var/lib/registry/catalog.db"), restart: true),
                ], stages: [], confirmWithin: .seconds(120), coordinatorLost: .hold))
    }
}
