import CoordinatorServer
import FleetWire
import Foundation
import Logging
import OperatorAPI
import StateStore
import Testing

@Suite("The coordinator's home")
struct HomeTests {
    private let identity = CoordinatorHome.Identity(
        name: "t", addresses: ["127.0.0.1", "localhost"])

    @Test("is never overwritten")
    func once() async throws {
        let scratch = try Scratch()
        _ = try await CoordinatorHome.make(in: scratch.path, identity: identity, now: wallClock())
        await #expect(throws: StoreError.self) {
            _ = try await CoordinatorHome.make(
                in: scratch.path, identity: identity, now: wallClock())
        }
    }

    @Test("renews the coordinator's certificate once two thirds of its life are over, not before")
    func renewal() async throws {
        let scratch = try Scratch()
        let made = wallClock()
        _ = try await CoordinatorHome.make(in: scratch.path, identity: identity, now: made)
        let first = try CoordinatorHome(directory: scratch.path, now: made, logger: silent)
        let day = Milliseconds.seconds(86_400)
        let before = made + Milliseconds(day.count * 250)
        let same = try CoordinatorHome(directory: scratch.path, now: before, logger: silent)
        #expect(same.certificateEnds == first.certificateEnds)
        let after = made + Milliseconds(day.count * 270)
        let renewed = try CoordinatorHome(directory: scratch.path, now: after, logger: silent)
        #expect(renewed.certificateEnds > first.certificateEnds)
        #expect(renewed.chain != first.chain && renewed.key != first.key)
        let kept = try CoordinatorHome(directory: scratch.path, now: after, logger: silent)
        #expect(kept.chain == renewed.chain && kept.key == renewed.key)
    }

    @Test("refuses a key that others may read, and never prints one")
    func privacy() async throws {
        let scratch = try Scratch()
        _ = try await CoordinatorHome.make(in: scratch.path, identity: identity, now: wallClock())
        let home = try CoordinatorHome(directory: scratch.path, now: wallClock(), logger: silent)
        #expect(!"\(home)".contains("PRIVATE") && !"\(home.authority)".contains("key"))
        for name in ["authority.key", "coordinator.key"] {
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o644], ofItemAtPath: scratch.path + "/" + name)
            #expect(throws: StoreError.self) {
                _ = try CoordinatorHome(directory: scratch.path, now: wallClock(), logger: silent)
            }
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o600], ofItemAtPath: scratch.path + "/" + name)
        }
    }

    @Test("holds one coordinator at a time")
    func single() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.sqlite, in: scratch) { _ in
            #expect(throws: StoreError.self) {
                _ = try SQLiteStateStore(directory: scratch.path)
            }
        }
    }
}
