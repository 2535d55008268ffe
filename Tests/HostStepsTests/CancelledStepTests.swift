import FleetWire
import HostProcesses
import HostSteps
import SQLiteFile
import Testing

/// A step whose task is cancelled ends soon, whatever its timeout allows.
@Suite struct CancelledStepTests {
    private func ends(
        _ root: StepRoot, _ action: StepAction, plan: HostPlan? = nil, once begun: () -> Bool
    ) async throws -> StepOutcome {
        let plan = try plan ?? root.plan()
        let runner = root.runner()
        let context = root.context
        return try await withThrowingTaskGroup(of: StepOutcome.self) { group in
            group.addTask {
                await runner.run(
                    StepSpec(name: "s", action: action, timeout: .seconds(300)), in: plan,
                    context: context)
            }
            let deadline = ContinuousClock.now + .seconds(10)
            while !begun(), ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(10))
            }
            let cancelled = ContinuousClock.now
            group.cancelAll()
            let outcome = try #require(await group.next())
            #expect(ContinuousClock.now - cancelled < .seconds(8))
            return outcome
        }
    }

    @Test("a migration at work is interrupted and changes nothing")
    func statement() async throws {
        let root = try StepRoot()
        let database = try SQLiteConnection(path: root.path + "/etc/a.db")
        try database.run(script: "PRAGMA journal_mode=DELETE; CREATE TABLE t (x)")
        let endless = """
            INSERT INTO t VALUES (1); WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c)
            INSERT INTO t SELECT max(n) FROM c
            """
        let step = SQLiteStep(path: "/etc/a.db", migrations: [.init(version: 1, sql: endless)])
        let outcome = try await ends(root, .sqlite(step)) {
            (try? root.names("/etc"))?.contains("a.db-journal") == true
        }
        #expect(outcome.status != .done)
        #expect(try database.userVersion() == 0)
        #expect(try database.query("SELECT x FROM t").isEmpty)
    }

    @Test("a migration that waits for a lock is cancelled")
    func lock() async throws {
        let root = try StepRoot()
        let database = try SQLiteConnection(path: root.path + "/etc/a.db")
        try database.run(script: "CREATE TABLE t (x); BEGIN IMMEDIATE")
        let step = SQLiteStep(
            path: "/etc/a.db", migrations: [.init(version: 1, sql: "DELETE FROM t")])
        #expect(try await ends(root, .sqlite(step)) { true }.status != .done)
    }

    @Test("a service's command is ended")
    func service() async throws {
        let root = try StepRoot()
        let name = try #require(ComponentName("svc"))
        let control = ServiceControl(
            start: ["/bin/sh", "-c", "touch {{ host.root }}/begun; sleep 300"], stop: ["true"],
            status: ["/bin/sh", "-c", "exit 3"])
        let plan = try root.plan(components: [
            ComponentSpec(name: name, driver: .service(control), restart: false)
        ])
        let outcome = try await ends(
            root, .service(ServiceStep(component: name, verb: .start)), plan: plan
        ) { root.read("/begun") != nil }
        #expect(outcome.status == .failed)
        #expect(outcome.message.contains("was cancelled"))
    }

    @Test("a service's command is bounded by the step's timeout")
    func late() async throws {
        let root = try StepRoot()
        let name = try #require(ComponentName("svc"))
        let control = ServiceControl(
            start: ["sleep", "300"], stop: ["true"], status: ["/bin/sh", "-c", "exit 3"])
        let plan = try root.plan(components: [
            ComponentSpec(name: name, driver: .service(control), restart: false)
        ])
        let outcome = try await root.run(
            .service(ServiceStep(component: name, verb: .start)), timeout: Milliseconds(300),
            plan: plan)
        #expect(outcome.status == .timedOut, "\(outcome.message)")
        #expect(outcome.took < .seconds(8))
    }
}
