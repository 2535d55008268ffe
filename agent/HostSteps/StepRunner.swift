package import FleetWire
package import HostProcesses
import HostSnapshots
import HostValidators

/// Carries out steps on this host. It decides nothing: the host machine says which step runs when.
package struct StepRunner: Sendable {
    /// Paths of steps lie below this; `/` on a real host.
    package let root: String
    let services: HostServices
    let artifacts: @Sendable (Digest) -> String?
    /// Told the process group of each program that a step starts, before the program begins.
    package var onStart: (@Sendable (Int32) -> Void)?

    /// A runner of steps. `artifacts` gives the local file of a fetched and verified artifact.
    package init(
        root: String, services: HostServices,
        artifacts: @escaping @Sendable (Digest) -> String?
    ) {
        self.root = root
        self.services = services
        self.artifacts = artifacts
    }

    /// Runs one try of a step; never throws. Every step can be run again after being cut off
    /// anywhere.
    package func run(
        _ step: StepSpec, in plan: HostPlan, context: TemplateContext
    ) async -> StepOutcome {
        let begun = ContinuousClock.now
        let ending = await end(of: step, plan, context, begun + step.timeout.duration)
        return StepOutcome(
            status: ending.status,
            message: HostPath.asPlanned(Redactor.redact(ending.message), root: root)
                .cut(toJSONBytes: 4096),
            output: Redactor.redact(ending.output).cut(toJSONBytes: 8192, keeping: .end),
            took: Milliseconds(since: begun))
    }

    private func end(
        of step: StepSpec, _ plan: HostPlan, _ context: TemplateContext,
        _ deadline: ContinuousClock.Instant
    ) async -> StepEnding {
        let place = StepPlace(root: root, context: context)
        switch step.action {
        case .run(let action):
            return await ProgramStep.run(
                action, timeout: step.timeout, context: context, onStart: onStart)
        case .wait(let action):
            return await WaitAction(root: root, context: context).run(action, until: deadline)
        case .artifact(let step):
            return await blocking(until: deadline) { limit in
                var action = ArtifactAction(place: place, plan: plan, artifacts: artifacts)
                action.onStart = onStart
                return try action.run(step, within: limit)
            }
        case .service(let action):
            return await blocking(until: deadline) { limit in
                try ServiceAction(services: services.within(limit, onStart: onStart), plan: plan)
                    .run(action)
            }
        case .flags(let action):
            return await blocking(until: deadline) { _ in try FlagsAction(place: place).run(action)
            }
        case .config(let action):
            return await blocking(until: deadline) { _ in
                try ConfigAction(place: place).run(action)
            }
        case .sqlite(let action):
            return await blocking(until: deadline) {
                try SQLiteAction(place: place).run(action, within: $0)
            }
        case .unknown(let name):
            return .failed("this agent does not know steps of kind \(name); update the agent")
        }
    }

    /// A step that changes files is never left behind half-way: it is waited for to its end.
    /// Cancelling hurries it: programs are ended, statements interrupted and rolled back.
    private func blocking(
        until deadline: ContinuousClock.Instant,
        _ body: @escaping @Sendable (WorkLimit) throws -> String
    ) async -> StepEnding {
        await OwnThread.run { cancellation in
            let limit = WorkLimit(deadline: deadline, cancellation: cancellation)
            do {
                return StepEnding(status: .done, message: try body(limit), output: "")
            } catch let failure as StepFailure {
                return StepEnding(
                    status: failure.isLate ? .timedOut : .failed, message: failure.reason,
                    output: failure.output)
            } catch {
                return .failed("\(error)")
            }
        }
    }
}
