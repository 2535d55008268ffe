import AgentCore
import FleetWire
import Testing

/// Restores of a point that belong to no rollout.
@Suite struct RestoreTests {
    private func wanted(noCapture: Bool = false) throws -> HostRestore {
        let components = try Samples.plan().components
        return HostRestore(
            point: PointID(unchecked: "p1"), rollout: nil, held: components,
            chosen: components.map(\.name), by: .operatorOnHost, reason: "test",
            noCapture: noCapture)
    }

    private func started() -> HostUnderTest {
        var host = HostUnderTest()
        host.give(.started(guard: nil))
        host.give(.connected)
        return host
    }

    @Test("the present state is captured first, then the point is restored")
    func whole() throws {
        var host = started()
        host.give(.restore(try wanted()))
        #expect(host.machine.isBusy)
        host.settle()
        #expect(host.content == "point")
        #expect(host.machine.restore?.before != nil)
        #expect(host.machine.restore?.isOpen == false)
        #expect(host.trace.contains { $0.contains("save before restore of p1") })
        guard case .done = host.machine.restore?.phase else {
            Issue.record("it stands \(String(describing: host.machine.restore?.phase))")
            return
        }
    }

    @Test("a state that cannot be captured keeps the restore from beginning")
    func unsaved() throws {
        var host = started()
        host.failing = ["capture"]
        host.give(.restore(try wanted()))
        host.settle()
        #expect(host.content == "old")
        #expect(
            host.machine.restore?.phase
                == .refused(
                    "the state before it cannot be captured: disk full; --no-capture restores "
                        + "without keeping it"))
        #expect(host.machine.halfRestored.isEmpty)
        host.give(.restore(try wanted(noCapture: true)))
        host.settle()
        #expect(host.content == "point")
        #expect(host.machine.restore?.before == nil)
    }

    @Test("what fails before the first change leaves nothing half restored, and is not tried again")
    func refused() throws {
        var host = started()
        host.failing = ["check"]
        host.give(.restore(try wanted()))
        host.settle()
        #expect(host.machine.restore?.phase == .refused("object is damaged"))
        #expect(host.machine.halfRestored.isEmpty)
        #expect(host.content == "old")
    }

    @Test(
        "a restore that fails half way is tried again, told, and keeps rollouts away until mended")
    func half() throws {
        var host = started()
        host.failing = ["restore"]
        host.give(.restore(try wanted()))
        host.settle()
        #expect(host.content == "old+half+half+half")
        #expect(host.machine.restore?.phase == .failed("disk full"))
        #expect(Set(host.machine.halfRestored.map(\.point.rawValue)) == ["p1"])
        let plan = try Samples.plan()
        host.give(Samples.order(.prepare, plan))
        host.settle()
        #expect(host.refusals.last?.code == "busy")
        #expect(host.machine.open == nil)
        // The memory of it is durable.
        try host.crash()
        host.give(.started(guard: nil))
        #expect(!host.machine.halfRestored.isEmpty)
        host.failing = []
        host.give(.restore(try wanted()))
        host.settle()
        #expect(host.machine.halfRestored.isEmpty)
        host.give(Samples.order(.prepare, plan))
        host.settle()
        #expect(host.machine.open?.plan.rollout == plan.rollout)
    }

    @Test("no restore begins beside an open transaction, and no order beside a restore")
    func oneAtATime() throws {
        var host = started()
        let plan = try Samples.plan()
        host.give(Samples.order(.prepare, plan))
        host.settle()
        #expect(host.machine.obstacleToRestore?.code == "busy")
        host.give(.restore(try wanted()))
        host.settle()
        #expect(host.machine.restore == nil)
        #expect(host.content == "old")

        var other = started()
        other.give(.restore(try wanted()))
        #expect(other.machine.obstacleToRestore?.code == "busy")
        other.give(Samples.order(.prepare, plan))
        #expect(other.machine.open == nil)
        other.settle()
        #expect(other.refusals.last?.code == "busy")
        other.give(Samples.order(.prepare, plan))
        other.settle()
        #expect(other.machine.open != nil)
    }

    @Test("killed while the state is captured it is given up; killed while it writes it goes on")
    func killed() throws {
        var host = started()
        host.give(.restore(try wanted()))
        try host.crash()
        host.give(.started(guard: nil))
        host.settle()
        #expect(host.content == "old")
        #expect(
            host.machine.restore?.phase == .refused("the agent stopped before anything was changed")
        )

        host.give(.restore(try wanted()))
        let hasStepped = host.step()
        #expect(hasStepped)
        // The capture has ended and the restore was ordered; now it dies.
        guard case .restoring = host.machine.restore?.phase else {
            Issue.record("it stands \(String(describing: host.machine.restore?.phase))")
            return
        }
        let before = host.machine.restore?.before
        try host.crash()
        host.give(.started(guard: nil))
        host.settle()
        #expect(host.content == "point")
        #expect(host.machine.restore?.before == before)
        #expect(host.machine.halfRestored.isEmpty)
    }

    @Test("a restore that a killed agent may have begun is never called unchanged")
    func killedThenDamaged() throws {
        var host = started()
        host.give(.restore(try wanted(noCapture: true)))
        try host.crash()
        host.failing = ["check"]
        host.give(.started(guard: nil))
        host.settle()
        #expect(host.machine.restore?.phase == .failed("object is damaged"))
        #expect(!host.machine.halfRestored.isEmpty)
    }

    @Test("asked to stop while it saves it changes nothing; while it writes it ends half done")
    func stopped() throws {
        var host = started()
        host.give(.restore(try wanted()))
        host.give(.stopRestore)
        #expect(host.trace.last?.contains("cancel") == true)
        host.settle()
        #expect(
            host.machine.restore?.phase == .refused("it was stopped before anything was changed"))
        #expect(host.content == "old")

        host.failing = ["restore"]
        host.give(.restore(try wanted(noCapture: true)))
        host.give(.stopRestore)
        host.settle()
        // It is not tried again.
        #expect(host.content == "old+half")
        #expect(host.machine.restore?.phase == .failed("disk full"))
    }

    @Test("a rollback that gives the same components back mends what was half restored")
    func mendedByRollback() throws {
        var host = started()
        let plan = try Samples.plan()
        for verb in [OrderVerb.prepare, .validate, .migrate, .confirm, .commit] {
            if verb == .confirm {
                host.give(.disconnected)
                host.give(.connected)
            }
            host.give(Samples.order(verb, plan))
            host.settle()
        }
        host.failing = ["restore"]
        host.give(.restore(try wanted()))
        host.settle()
        #expect(!host.machine.halfRestored.isEmpty)
        host.failing = []
        host.give(Samples.order(.rollback, plan))
        host.settle()
        #expect(host.machine.halfRestored.isEmpty)
    }

    @Test("a journal from before there were such restores is read")
    func olderJournal() throws {
        let bytes = try WireJSON.encode(HostMachine())
        #expect(!String(decoding: bytes, as: UTF8.self).contains("halves"))
        #expect(try WireJSON.decode(HostMachine.self, from: bytes) == HostMachine())
    }
}
