package import FleetWire
package import HostProcesses
package import HostSnapshots

/// Carries out steps on this host. It decides nothing: the host machine says which step runs when.
package struct StepRunner: Sendable {
    /// Paths of steps lie below this; `/` on a real host.
    package let root: String
    private let services: any ServiceControlling

    /// A runner of steps. `artifacts` gives the local file of a fetched and verified artifact.
    package init(
        root: String, services: any ServiceControlling,
        artifacts: @escaping @Sendable (Digest) -> String?
    ) {
        self.root = root
        self.services = services
    }

    /// Runs one try of a step; never throws. Every step can be run again after being cut off
    /// anywhere.
    package func run(
        _ step: StepSpec, in plan: HostPlan, context: TemplateContext
    ) async -> StepOutcome {
        StepOutcome(status: .failed, message: "", output: "", took: .zero)
    }

    /// What a step would change; reads only.
    package func inspect(
        _ step: StepSpec, in stage: Stage, of plan: HostPlan, context: TemplateContext
    ) async -> [PlannedChange] { [] }
}

/// Starts, stops and asks services by systemd or by their commands.
package struct HostServices: ServiceControlling {
    private let context: TemplateContext
    /// Services of a host; commands are filled in from `context`.
    package init(context: TemplateContext) { self.context = context }
    /// See `ServiceControlling`.
    package func isActive(_ control: ServiceControl) throws -> Bool { false }
    /// See `ServiceControlling`.
    package func start(_ control: ServiceControl) throws {}
    /// See `ServiceControlling`.
    package func stop(_ control: ServiceControl) throws {}
}
