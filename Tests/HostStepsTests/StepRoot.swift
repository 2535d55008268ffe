import FleetWire
import FoundationEssentials
import HostProcesses
import HostSteps
import Testing

/// A host below a folder of its own under /tmp, removed with it.
final class StepRoot {
    let path: String
    let context: TemplateContext

    init() throws {
        let name = "/tmp/belay-steps-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(
            atPath: name + "/etc", withIntermediateDirectories: true)
        path = name
        context = TemplateContext(
            root: name, host: HostID(unchecked: "h1"), labels: [:], facts: [:],
            variables: ["version": "2"])
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path + name))
    }

    func read(_ name: String) -> String? {
        FileManager.default.contents(atPath: path + name).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    func names(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path + folder).sorted()
    }

    /// Runs a script in the root; its output.
    @discardableResult
    func shell(_ script: String) throws -> String {
        let result = ProcessRun(
            argv: ["/bin/sh", "-eu", "-c", script], environment: ["PATH": ProcessRun.path],
            directory: path, timeout: .seconds(60)
        ).runBlocking()
        try #require(result.ending == .exited(0), "\(result.text)")
        return result.text
    }

    func plan(
        components: [ComponentSpec] = [], artifacts: [ArtifactRef] = [], steps: [StepSpec] = []
    ) throws -> HostPlan {
        HostPlan(
            rollout: RolloutID(unchecked: "r1"),
            planDigest: try #require(Digest(String(repeating: "0", count: 64))), labels: [:],
            variables: [:], artifacts: artifacts, components: components,
            stages: [StageSpec(stage: .migration, steps: steps, checks: [])],
            confirmWithin: .seconds(60), coordinatorLost: .hold)
    }

    func runner(
        artifacts: @escaping @Sendable (Digest) -> String? = { _ in nil }
    ) -> StepRunner {
        StepRunner(root: path, services: HostServices(context: context), artifacts: artifacts)
    }

    func run(
        _ action: StepAction, timeout: Milliseconds = .seconds(30), plan: HostPlan? = nil
    ) async throws -> StepOutcome {
        await runner().run(
            StepSpec(name: "s", action: action, timeout: timeout), in: try plan ?? self.plan(),
            context: context)
    }

    func inspect(_ action: StepAction, plan: HostPlan? = nil) async throws -> PlannedChange {
        let changes = await runner().inspect(
            StepSpec(name: "s", action: action), in: .migration, of: try plan ?? self.plan(),
            context: context)
        return try #require(changes.first)
    }
}
