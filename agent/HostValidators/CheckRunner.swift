package import FleetWire
package import HostProcesses

/// Runs checks on this host.
package struct CheckRunner: Sendable {
    /// Paths of checks lie below this; `/` on a real host.
    package let root: String

    /// A runner of checks below `root`, at most `concurrency` at the same time.
    package init(root: String, concurrency: Int = 8) { self.root = root }

    /// Runs `checks`; exactly one result for each, in their order.
    package func run(_ checks: [CheckSpec], context: TemplateContext) async -> [CheckResult] {
        []
    }
}
