import CoordinatorServer
import FleetTransport
import FleetWire
import NIOHTTP1
import OperatorAPI
import RolloutCore
import RolloutPlan
import Testing

/// Said twice, and to something that was never asked: it counts once.
private func refuse(_ message: ReceivedMessage, _ agent: TestAgent) async throws {
    let refusal = Refusal(code: "not_found", reason: "there is no point gone")
    for re in ["c9-9", message.header.id, message.header.id] {
        try await agent.send(.refused, refusal, re: re)
    }
}

private var nothingDiffers: PointReply {
    var reply = PointReply(points: [])
    reply.changes = []
    return reply
}

private func passed(_ request: CheckRequest) -> CheckReply {
    CheckReply(
        results: request.checks.map {
            CheckResult(
                name: $0.name, kind: "t", level: $0.level, status: .pass, measured: "1",
                remedy: nil, took: Milliseconds(1))
        })
}

/// Answers orders and questions as a healthy agent would, until its connection ends.
private func behave(_ agent: TestAgent, acknowledged: UInt64, beats: Bool) async {
    var sequence = acknowledged
    func report(_ order: TransactionOrder, _ kind: ReportKind) async throws {
        sequence += 1
        var report = TransactionReport(
            sequence: sequence, rollout: order.rollout, attempt: order.attempt, at: wallClock(),
            kind: kind)
        report.mutated = kind == .verified ? true : nil
        if kind == .captured {
            report.point = PointSummary(
                id: PointID(unchecked: "p-\(agent.host)"), at: wallClock(), reason: "r",
                rollout: order.rollout, components: [], digest: Tokens.hash("p"))
        }
        if kind == .stepStarted || kind == .stepFinished {
            report.stage = .migration
            report.step = StepReport(
                index: 0, name: "go", phase: nil, attempt: 1,
                outcome: kind == .stepStarted
                    ? nil
                    : StepOutcome(
                        status: .done, message: "<b>fine</b>", output: "", took: Milliseconds(5)))
        }
        try await agent.send(.report, report)
    }
    func obey(_ order: TransactionOrder) async throws {
        let kinds: [ReportKind] =
            switch order.verb {
            case .prepare: [.prepared]
            case .validate: [.validated]
            case .migrate: [.captured, .guarded, .stepStarted, .stepFinished, .verified]
            case .confirm: [.confirmed]
            case .commit: [.committed]
            case .rollback: [.rollingBack, .rolledBack]
            case .release: [.released]
            }
        for kind in kinds { try await report(order, kind) }
    }
    func beat() async throws {
        try await agent.send(.heartbeat, Heartbeat(now: wallClock(), metrics: ["load": 0.5]))
    }
    do {
        if beats { try await beat() }
        while true {
            let message = try await agent.next()
            switch message.header.type {
            case .heartbeat where beats:
                // Ten a second are more than any agent sends.
                try await Task.sleep(for: .milliseconds(100))
                try await beat()
            case .order:
                let order = try message.body(TransactionOrder.self)
                if order.point?.rawValue == "gone" {
                    try await refuse(message, agent)
                } else {
                    try await obey(order)
                }
            case .inspect:
                let state = Inspection(changes: [], state: Tokens.hash("s"), problems: [])
                try await agent.send(.inspection, state, re: message.header.id)
            case .check:
                let reply = passed(try message.body(CheckRequest.self))
                try await agent.send(.checked, reply, re: message.header.id)
            case .point:
                try await agent.send(.points, nothingDiffers, re: message.header.id)
            default: break
            }
        }
    } catch {}
}

@Suite("A rollout through the coordinator", .serialized)
struct RolloutTests {
    static func plan(approval: Bool = false) -> Plan {
        let step = StepSpec(
            name: "go",
            action: .wait(WaitStep(span: Milliseconds(1), until: nil)))
        return Plan(
            name: "demo", description: nil,
            targets: .init(
                selector: nil, hosts: [HostID(unchecked: "h1"), HostID(unchecked: "h2")]),
            variables: [:], artifacts: [],
            components: [
                ComponentSpec(
                    name: ComponentName(unchecked: "c"), driver: .config(paths: ["/etc/c"]),
                    restart: false),
                ComponentSpec(
                    name: ComponentName(unchecked: "f"), driver: .flags(path: "/etc/f.json"),
                    restart: false),
            ],
            strategy: .init(
                waves: [
                    .init(
                        name: "canary", size: .number(1), selector: nil, hosts: [],
                        soak: Milliseconds(10), gates: [])
                ], parallelMax: .number(1), unavailableMax: .number(1), domain: nil,
                unavailablePerDomainMax: nil),
            budget: .init(fleet: .number(0), wave: nil, domain: nil),
            rollback: RollbackPolicy(onExhausted: .rollback), confirmWithin: .seconds(120),
            coordinatorLost: .hold, needsApproval: approval,
            deadlines: .init(
                stage: .seconds(60), migration: .seconds(60), unreachable: .seconds(60)),
            stages: [StageSpec(stage: .migration, steps: [step], checks: [])],
            returning: Plan.Returning(
                compatibleWith: [
                    "c": [ComponentName(unchecked: "f")], "f": [ComponentName(unchecked: "c")],
                ]))
    }

    static func fleet(
        _ coordinator: RunningCoordinator
    ) async throws -> [String: TLSContext.Credentials] {
        let token = try await coordinator.api.token(uses: 2)
        var all: [String: TLSContext.Credentials] = [:]
        for name in ["h1", "h2"] {
            all[name] = try await TestAgent.enrol(name, token: token, at: coordinator)
        }
        return all
    }

    static func with(
        _ fleet: [String: TLSContext.Credentials], of coordinator: RunningCoordinator,
        beats: Bool = false, _ body: () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (name, credentials) in fleet {
                group.addTask {
                    let (agent, welcome) = try await TestAgent.connect(
                        name, credentials, to: coordinator)
                    await behave(agent, acknowledged: welcome.acknowledged, beats: beats)
                }
            }
            try await eventually("the agents are connected") {
                try await coordinator.api.get("/v1/status").body(StatusView.self).connected
                    == fleet.count
            }
            try await body()
            group.cancelAll()
        }
    }

    static func apply(
        _ coordinator: RunningCoordinator, approval: Bool = false, digest: Digest? = nil
    ) async throws -> APIClient.Answer {
        try await coordinator.api.send(
            .POST, "/v1/rollouts",
            json: ApplyRequest(
                plan: plan(approval: approval), digest: digest, overrideQuarantine: false,
                reason: nil))
    }

    @Test("shows values of variables and environments to operators only")
    func values() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.memory, in: scratch) { coordinator in
            let api = coordinator.api
            _ = try await Self.fleet(coordinator)
            var plan = Self.plan(approval: true)
            plan.variables = ["note": "hush-1"]
            let run = RunStep(
                argv: ["/bin/true"], shell: nil, env: ["NOTE": "hush-2"], directory: nil)
            plan.stages[0].steps.append(StepSpec(name: "run", action: .run(run)))
            let started = try await api.send(
                .POST, "/v1/rollouts",
                json: ApplyRequest(
                    plan: plan, digest: nil, overrideQuarantine: false, reason: nil))
            #expect(started.status == 201, "\(started.text)")
            let id = try started.body(RolloutView.self).id
            let grant = try await api.send(
                .POST, "/v1/access",
                json: AccessRequest(name: "v", role: .viewer, lifetime: nil)
            ).body(AccessGrant.self)
            let viewer = coordinator.api(as: grant.token)
            let whole = try await api.get("/v1/events?after=0&stream=\(id)").text
            #expect(whole.contains("hush-1") && whole.contains("hush-2"))
            for path in [
                "/v1/events?after=0", "/v1/events?after=0&stream=\(id)", "/v1/rollouts",
                "/v1/rollouts/\(id)", "/v1/rollouts/\(id)/history", "/v1/rollouts/\(id)/why",
                "/v1/rollouts/\(id)/report?format=json", "/v1/rollouts/\(id)/report?format=html",
                "/v1/rollouts/\(id)/report?format=md",
            ] {
                let answer = try await viewer.get(path)
                #expect(answer.status == 200 && !answer.text.contains("hush"), "\(path)")
            }
        }
    }

    @Test("a rollback that a host refuses fails at once, with the host's reason")
    func refused() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.memory, in: scratch) { coordinator in
            let api = coordinator.api
            try await Self.with(try await Self.fleet(coordinator), of: coordinator) {
                let id = try await Self.apply(coordinator).body(RolloutView.self).id
                try await Self.watch(id, until: .succeeded, api)
                let back = RollbackRequest(
                    rollout: nil, host: HostID("h1"), wave: nil, scope: .full,
                    point: PointID("gone"), fast: false, includeLater: false, reason: "test")
                let answer = try await api.send(.POST, "/v1/rollbacks", json: back)
                #expect(answer.status == 200, "\(answer.text)")
                try await Self.watch(id, until: .rollbackFailed, api)
                let why = try await api.get("/v1/rollouts/\(id)/why?host=h1").text
                #expect(why.contains("there is no point gone"), "\(why)")
                let events = try await api.get("/v1/events?stream=\(id)&limit=1000")
                    .body([EventLine].self)
                #expect(events.count { $0.kind == "host_refused" } == 1)
            }
        }
    }

    @Test(
        "is shown, started, watched to its end, reported and rolled back",
        arguments: StoreKind.allCases)
    func whole(_ kind: StoreKind) async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(kind, in: scratch) { coordinator in
            let api = coordinator.api
            try await Self.with(try await Self.fleet(coordinator), of: coordinator) {
                let preview = try await api.send(
                    .POST, "/v1/plan", json: PreviewRequest(plan: Self.plan())
                ).body(PlanPreview.self)
                #expect(preview.inspections.allSatisfy { $0.inspection != nil })
                let other = try await Self.apply(coordinator, digest: Tokens.hash("other"))
                #expect(other.status == 409)
                let started = try await Self.apply(coordinator, digest: preview.digest)
                #expect(started.status == 201, "\(started.text)")
                let id = try started.body(RolloutView.self).id
                try await Self.watch(id, until: .succeeded, api)
                let report = try await api.get("/v1/rollouts/\(id)/report?format=html").text
                #expect(report.contains("&lt;b&gt;fine") && !report.contains("<b>fine"))
                for format in ["md", "json"] {
                    let answer = try await api.get("/v1/rollouts/\(id)/report?format=\(format)")
                    #expect(answer.status == 200 && answer.text.contains("h2"))
                }
                let back = RollbackRequest(
                    rollout: nil, host: HostID("h1"), wave: nil, scope: .full, point: nil,
                    fast: false, includeLater: false, reason: "test")
                let answer = try await api.send(.POST, "/v1/rollbacks", json: back)
                #expect(answer.status == 200, "\(answer.text)")
                try await eventually("h1 is back") {
                    let view = try await api.get("/v1/rollouts/\(id)").body(RolloutView.self)
                    return view.hosts.first { $0.id.rawValue == "h1" }?.state == .rolledBack
                }
                let metrics = try await api.get("/metrics").text
                #expect(metrics.contains("belay_rollbacks_total{"))
            }
        }
    }

    @Test("a part taken back leaves the rest; what an earlier rollback undid is not restored again")
    func standing() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.sqlite, in: scratch) { coordinator in
            let api = coordinator.api
            func back(
                _ rollout: RolloutID?, _ host: String?, _ scope: RollbackScope, later: Bool = false
            ) async throws -> APIClient.Answer {
                try await api.send(
                    .POST, "/v1/rollbacks",
                    json: RollbackRequest(
                        rollout: rollout, host: host.map { HostID(unchecked: $0) }, wave: nil,
                        scope: scope, point: nil, fast: false, includeLater: later, reason: nil))
            }
            try await Self.with(try await Self.fleet(coordinator), of: coordinator) {
                var ids: [RolloutID] = []
                for _ in 0..<2 {
                    let view = try await Self.apply(coordinator).body(RolloutView.self)
                    try await Self.watch(view.id, until: .succeeded, api)
                    ids.append(view.id)
                }
                for scope in [RollbackScope.flags, .config] {
                    let part = try await back(nil, "h1", scope).body(RolloutView.self)
                    #expect(part.id == ids[1], "the newest change of h1 still stands")
                    try await Self.watch(part.id, until: .succeeded, api)
                    let view = try await api.get("/v1/rollouts/\(part.id)").body(RolloutView.self)
                    let host = view.hosts.first { $0.id.rawValue == "h1" }
                    #expect(host?.state == .committed && host?.changed == true)
                }
                let whole = try await back(ids[0], nil, .full, later: true)
                #expect(whole.status == 200, "\(whole.text)")
                try await Self.watch(ids[0], until: .rolledBack, api)
                #expect(try await back(nil, "h1", .full).status == 404)
                let gone = try await back(ids[1], nil, .full)
                #expect(gone.status == 409, "\(gone.text)")
            }
        }
    }

    static func watch(
        _ id: RolloutID, until state: RolloutState, _ api: APIClient
    ) async throws {
        var after: UInt64 = 0
        try await eventually("\(id) is \(state)") {
            let view = try await api.get("/v1/rollouts/\(id)?after=\(after)&wait=2000")
                .body(RolloutView.self)
            after = view.sequence
            return view.state == state
        }
    }

    @Test("goes on after the coordinator went away in the middle")
    func recovery() async throws {
        let scratch = try Scratch()
        var kept: ([String: TLSContext.Credentials], RolloutID)?
        try await RunningCoordinator.run(.sqlite, in: scratch) { coordinator in
            let fleet = try await Self.fleet(coordinator)
            let view = try await Self.apply(coordinator, approval: true).body(RolloutView.self)
            #expect(view.state == .awaitingApproval)
            let second = try await Self.apply(coordinator)
            #expect(second.status == 409, "the hosts are held")
            let approve = CommandRequest(command: .approve, reason: nil)
            let answer = try await coordinator.api.send(
                .POST, "/v1/rollouts/\(view.id)/commands", json: approve)
            #expect(answer.status == 200, "\(answer.text)")
            kept = (fleet, view.id)
        }
        let (fleet, id) = try #require(kept)
        try await RunningCoordinator.run(.sqlite, in: scratch) { coordinator in
            try await Self.with(fleet, of: coordinator) {
                try await Self.watch(id, until: .succeeded, coordinator.api)
            }
            let audit = try await coordinator.api.get("/v1/audit").body(AuditView.self)
            #expect(audit.brokenAt == nil)
        }
    }
}
