package import FleetWire
package import HostProcesses
package import HostSnapshots
import HostValidators

/// Carries out steps on this host. It decides nothing: the host machine says which step runs when.
package struct StepRunner: Sendable {
    /// Paths of steps lie below this; `/` on a real host.
    package let root: String
    let services: any ServiceControlling
    let artifacts: @Sendable (Digest) -> String?
    /// Told the process group of each program that a `run` step starts.
    package var onStart: (@Sendable (Int32) -> Void)?

    /// A runner of steps. `artifacts` gives the local file of a fetched and verified artifact.
    package init(
        root: String, services: any ServiceControlling,
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
            message: HostPath.asPlanned(Redactor.redact(ending.message), root: root),
            output: ending.output, took: Milliseconds(since: begun))
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
        case .artifact(let action):
            return await blocking {
                try ArtifactAction(place: place, plan: plan, artifacts: artifacts)
                    .run(action, until: deadline)
            }
        case .service(let action):
            return await blocking {
                try ServiceAction(services: services, plan: plan).run(action)
            }
        case .flags(let action): return await blocking { try FlagsAction(place: place).run(action) }
        case .config(let action):
            return await blocking { try ConfigAction(place: place).run(action) }
        case .sqlite(let action):
            return await blocking { try SQLiteAction(place: place).run(action, until: deadline) }
        case .unknown(let name):
            return .failed("this agent does not know steps of kind \(name); update the agent")
        }
    }

    /// A step that changes files is never left behind half-way: it is waited for to its end.
    private func blocking(_ body: @escaping @Sendable () throws -> String) async -> StepEnding {
        await OwnThread.run { _ in
            do {
                return StepEnding(status: .done, message: try body(), output: "")
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
