import AgentCore
import FleetWire
import HostProcesses
import HostSnapshots
import HostSteps
import HostValidators

/// Questions of the coordinator and of operators on the host; none of them changes a component,
/// except `rollback` on the host.
extension Agent {
    nonisolated func answer(_ message: ReceivedMessage, _ outbox: SessionOutbox) async {
        let re = message.header.id
        do {
            switch message.header.type {
            case .inspect:
                let request = try message.body(InspectRequest.self)
                outbox.post(.inspection, try await inspect(request.plan), re: re)
            case .check:
                let request = try message.body(CheckRequest.self)
                let results = await check(request) { result in
                    if request.streams == true { outbox.post(.checkResult, result, re: re) }
                }
                outbox.post(.checked, CheckReply(results: results), re: re)
            case .point:
                let request = try message.body(PointRequest.self)
                outbox.post(.points, try await points(request, message.header.gen), re: re)
            default:
                outbox.post(
                    .unsupported,
                    Refusal(
                        code: "unsupported",
                        reason:
                            "messages of type \(message.header.type.rawValue) are not known here"
                    ), re: re)
            }
        } catch let refusal as Refusal {
            outbox.post(.refused, refusal, re: re)
        } catch let error as FrameError {
            outbox.post(.refused, Refusal(code: "invalid", reason: error.reason), re: re)
        } catch {
            outbox.post(
                .refused, Refusal(code: "failed", reason: HostHands(self).shown(error)), re: re)
        }
    }

    nonisolated func inspect(_ plan: HostPlan) async throws -> Inspection {
        let hands = HostHands(self)
        let runner = StepRunner(
            root: state.rootDirectory, services: hands.services(plan)
        ) { [state] digest in
            let path = state.file("artifacts/\(digest.hex)")
            return StateDirectory.isThere(path) ? path : nil
        }
        var changes: [PlannedChange] = []
        for stage in Stage.allCases {
            for step in plan.stage(stage).steps {
                changes += await runner.inspect(
                    step, in: stage, of: plan, context: hands.context(plan))
            }
        }
        let (digest, problem) = try await hands.block {
            (
                try hands.store(plan).stateDigest(plan.components),
                try hands.store(plan).spaceProblem(plan.components).map(hands.shown)
            )
        }
        return Inspection(
            changes: Self.fitting(changes), state: digest, problems: problem.map { [$0] } ?? [])
    }

    /// `found` is told each result as it comes.
    nonisolated func check(
        _ request: CheckRequest, found: @Sendable (CheckResult) async -> Void = { _ in }
    ) async -> [CheckResult] {
        await CheckRunner(root: state.rootDirectory).run(
            request.checks,
            context: HostHands(self).context(
                labels: request.labels, variables: request.variables),
            found: found
        ).fittingFrame()
    }

    /// The changes with details cut so that all of them fit a frame together.
    private nonisolated static func fitting(_ changes: [PlannedChange]) -> [PlannedChange] {
        let share = FrameLimits.v1.payloadBytesMax / 2 / max(1, changes.count)
        return changes.map { change in
            var change = change
            change.detail = change.detail.cut(toJSONBytes: min(65_536, share))
            return change
        }
    }

    /// The coordinator's request on points; one that changes something must not be of an older term.
    private func points(
        _ request: PointRequest, _ term: Generation?
    ) async throws -> PointReply {
        let term = term ?? Generation(rawValue: 0)
        if request.mutates {
            guard term >= machine.generation else {
                throw Refusal(
                    code: "stale_generation",
                    reason: "the request is of generation \(term.rawValue), this host has seen "
                        + "\(machine.generation.rawValue)",
                    remedy: "let the newest coordinator ask; stop the older one")
            }
            if term > machine.generation { handle(.term(term)) }
        }
        return try await points(request, by: .agent, ControlUpdates())
    }
}
