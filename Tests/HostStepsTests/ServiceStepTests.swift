import FleetWire
import HostSteps
import Testing

@Suite struct ServiceStepTests {
    /// A real process with a pid file.
    private let control = ServiceControl(
        start: [
            "/bin/sh", "-c",
            "cd {{ host.root }}; setsid sleep 300 </dev/null >/dev/null 2>&1 & echo $! > {{ host.root }}/pid",
        ],
        stop: ["/bin/sh", "-c", "kill $(cat {{ host.root }}/pid); rm {{ host.root }}/pid"],
        status: [
            "/bin/sh", "-c",
            "test -e {{ host.root }}/pid || exit 3; kill -0 $(cat {{ host.root }}/pid) || exit 3",
        ])

    private func plan(_ root: StepRoot, _ control: ServiceControl) throws -> HostPlan {
        let name = try #require(ComponentName("svc"))
        let other = try #require(ComponentName("files"))
        return try root.plan(components: [
            ComponentSpec(name: name, driver: .service(control), restart: false),
            ComponentSpec(name: other, driver: .config(paths: []), restart: false),
        ])
    }

    private func step(_ verb: ServiceStep.Verb, _ name: String = "svc") throws -> StepAction {
        .service(ServiceStep(component: try #require(ComponentName(name)), verb: verb))
    }

    @Test func aServiceIsStartedRestartedAndStopped() async throws {
        let root = try StepRoot()
        let plan = try plan(root, control)
        #expect(try await root.inspect(step(.start), plan: plan).action == "start")
        #expect(try await root.run(step(.start), plan: plan).status == .done)
        let first = root.read("/pid")
        #expect(try await root.run(step(.start), plan: plan).status == .done)
        #expect(root.read("/pid") == first)
        #expect(try await root.inspect(step(.start), plan: plan).action == "none")
        #expect(try await root.run(step(.restart), plan: plan).status == .done)
        #expect(root.read("/pid") != first)
        #expect(try await root.run(step(.stop), plan: plan).status == .done)
        #expect(root.read("/pid") == nil)
        #expect(try await root.run(step(.stop), plan: plan).status == .done)
    }

    @Test func failuresSayWhat() async throws {
        let root = try StepRoot()
        var broken = control
        broken.start = ["/bin/sh", "-c", "echo why; exit 4"]
        let outcome = try await root.run(step(.start), plan: plan(root, broken))
        #expect(outcome.status == .failed)
        #expect(outcome.message.contains("exited 4"))
        #expect(outcome.output == "why\n")

        broken = control
        broken.status = ["/bin/sh", "-c", "exit 7"]
        #expect(try await root.run(step(.stop), plan: plan(root, broken)).status == .failed)
        #expect(
            try await root.run(step(.stop, "nope"), plan: plan(root, control)).status == .failed)
        #expect(
            try await root.run(step(.stop, "files"), plan: plan(root, control)).message
                .contains("is no service"))
        let empty = ServiceControl()
        #expect(try await root.run(step(.start), plan: plan(root, empty)).status == .failed)
    }

    @Test func aServiceThatNeverRunsTimesOut() throws {
        let root = try StepRoot()
        let services = HostServices(context: root.context, timeout: Milliseconds(300))
        let never = ServiceControl(
            start: ["true"], stop: ["true"], status: ["/bin/sh", "-c", "exit 3"])
        #expect(throws: (any Error).self) { try services.start(never) }
    }
}
