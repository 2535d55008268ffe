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

    @Test("that an init left unfinished is not run, and the next init makes it anew")
    func cutOff() async throws {
        struct Cut: Error {}
        let scratch = try Scratch()
        var lost = ""
        await #expect(throws: Cut.self) {
            try await CoordinatorHome.make(in: scratch.path, identity: identity, now: wallClock()) {
                lost = $0
                throw Cut()
            }
        }
        #expect(throws: StoreError.self) {
            _ = try CoordinatorHome(directory: scratch.path, now: wallClock(), logger: silent)
        }
        let token = try await CoordinatorHome.make(
            in: scratch.path, identity: identity, now: wallClock())
        #expect(token != lost)
        _ = try CoordinatorHome(directory: scratch.path, now: wallClock(), logger: silent)
        #expect(try await SQLiteStateStore(directory: scratch.path).lastSequence() == 1)
    }

    @Test("that lost its journal is not begun anew in silence", arguments: [true, false])
    func lostJournal(isEmptied: Bool) async throws {
        let scratch = try Scratch()
        try await CoordinatorHome.make(in: scratch.path, identity: identity, now: wallClock())
        let journal = scratch.path + "/journal.sqlite"
        try FileManager.default.removeItem(atPath: journal)
        if isEmptied { _ = FileManager.default.createFile(atPath: journal, contents: nil) }
        let error = #expect(throws: StoreError.self) {
            _ = try CoordinatorHome(directory: scratch.path, now: wallClock(), logger: silent)
        }
        #expect("\(String(describing: error))".contains("journal.sqlite is missing or empty"))
    }

    @Test("heals a certificate and key that a cut renewal left unfit")
    func unfitPair() async throws {
        let scratch = try Scratch()
        let other = try Scratch()
        for place in [scratch, other] {
            try await CoordinatorHome.make(in: place.path, identity: identity, now: wallClock())
        }
        let key = scratch.path + "/coordinator.key"
        try FileManager.default.removeItem(atPath: key)
        try FileManager.default.copyItem(atPath: other.path + "/coordinator.key", toPath: key)
        let unfit = try String(contentsOfFile: key, encoding: .utf8)
        let home = try CoordinatorHome(directory: scratch.path, now: wallClock(), logger: silent)
        #expect(home.key != unfit)
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
