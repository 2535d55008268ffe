import AgentCore
import FleetWire
import HostProcesses
import HostSnapshots

/// Break-glass: what works on the host with no coordinator.
extension Agent {
    /// Carries a request out; never throws. `updates` hears how far it is and may stop it.
    package func control(
        _ request: ControlRequest, _ updates: ControlUpdates
    ) async -> ControlReply {
        var reply = ControlReply()
        do {
            switch request.command {
            case .status: reply.status = status
            case .validate:
                let (asked, results) = try await validate(request.checks)
                reply.asked = asked
                reply.results = results
            case .point:
                guard let asked = request.point else {
                    throw Refusal(code: "invalid", reason: "say what to do with points")
                }
                reply.points = try await points(asked, by: .operatorOnHost, updates)
            case .rollback: reply.outcome = try await rollBack(request)
            case .cancel: throw Refusal(code: "invalid", reason: "there is nothing to cancel")
            }
        } catch let refusal as Refusal {
            reply.refusal = refusal
        } catch let error as PointError {
            let text = HostPath.asPlanned(
                "\(error.attempt) \(error.subject): \(error.cause)", root: state.rootDirectory)
            reply.refusal = Refusal(code: "failed", reason: text, remedy: error.remedy)
        } catch {
            reply.refusal = Refusal(code: "failed", reason: HostHands(self).shown(error))
        }
        return reply
    }

    private var status: AgentStatus {
        AgentStatus(
            host: configuration.host, coordinator: configuration.coordinator,
            isConnected: session != nil, generation: machine.generation,
            unacknowledged: machine.unacknowledged.count, isGuarded: files.isWatching,
            transactions: machine.transactions.map {
                .init(
                    rollout: $0.plan.rollout, attempt: $0.attempt, phase: $0.phase.name,
                    point: $0.point, pastReturn: $0.pastReturn,
                    failure: $0.heldFor ?? $0.restoreFailure)
            }, restore: machine.restore.map(AgentStatus.Restore.init), troubles: troubles,
            scrubbed: health.scrubbed)
    }

    private func validate(
        _ checks: [CheckSpec]?
    ) async throws -> ([CheckSpec], [CheckResult]) {
        let plan = machine.open?.plan
        let asked = checks ?? plan?.stage(.verification).checks ?? []
        guard !asked.isEmpty else {
            throw Refusal(
                code: "invalid", reason: "there is nothing to check: no rollout is open here",
                remedy: "name validators, or give --checks or --plan")
        }
        let results = await check(
            CheckRequest(
                checks: asked, variables: plan?.variables ?? [:], labels: plan?.labels ?? [:]))
        return (asked, results)
    }

    private func rollBack(_ request: ControlRequest) async throws -> String {
        let scope = request.scope ?? .full
        let found = machine.transactions.last {
            request.rollout == nil ? $0.point != nil : $0.plan.rollout == request.rollout
        }
        guard let found else {
            throw Refusal(
                code: "not_found", reason: "no rollout that this host remembers has changed it",
                remedy: "see `belay-agent status`")
        }
        let rollout = found.plan.rollout
        if let problem = machine.problem(with: scope, rollout: rollout) {
            throw Refusal(code: "invalid", reason: problem)
        }
        if let open = machine.open, open.plan.rollout != rollout {
            throw Refusal(
                code: "busy", reason: "rollout \(open.plan.rollout) holds this host",
                remedy: "roll that one back first")
        }
        if let restore = machine.restore, restore.isOpen {
            throw Refusal(
                code: "busy", reason: "point \(restore.point) is being restored",
                remedy: "wait for its end")
        }
        let across = request.acrossPointOfNoReturn == true
        let said = request.reason?.contains { !$0.isWhitespace } == true
        if across, !said {
            throw Refusal(
                code: "invalid",
                reason: "a rollback across the point of no return needs a reason",
                remedy: "add `--reason`")
        }
        if !across, let refusal = machine.refusalOfReturn(rollout: rollout) { throw refusal }
        handle(
            .operatorRollback(
                rollout: rollout, scope: scope, point: request.to,
                acrossPointOfNoReturn: across ? true : nil, reason: said ? request.reason : nil))
        while machine.isBusy { try await Task.sleep(for: .milliseconds(50)) }
        let ended = machine.transactions.last { $0.plan.rollout == rollout }
        // Not from the report: a connected agent may have forgotten it by now.
        if let failure = ended?.restoreFailure {
            throw Refusal(code: "rollback_failed", reason: failure)
        }
        return ended?.phase.name ?? "unknown"
    }
}
