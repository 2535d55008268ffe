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

    private func make(_ scratch: Scratch, now: Timestamp = wallClock()) async throws -> String {
        var told = ""
        try await CoordinatorHome.make(in: scratch.path, identity: identity, now: now) {
            told = $0
        }
        return told
    }

    @Test("is never overwritten")
    func once() async throws {
        let scratch = try Scratch()
        _ = try await make(scratch)
        await #expect(throws: StoreError.self) { try await make(scratch) }
    }

    @Test("whose making was cut off is not run, and is made anew by the next `init`")
    func cutOff() async throws {
        let scratch = try Scratch()
        var first = ""
        await #expect(throws: Late.self) {
            try await CoordinatorHome.make(
                in: scratch.path, identity: identity, now: wallClock()
            ) { token in
                first = token
                throw Late(what: "a terminal")
            }
        }
        let error = #expect(throws: StoreError.self) {
            _ = try CoordinatorHome(directory: scratch.path)
        }
        #expect(error?.description.contains("belay-coordinator init") == true)
        let second = try await make(scratch)
        #expect(!first.isEmpty && !second.isEmpty && first != second)
        let store = try SQLiteStateStore(directory: scratch.path)
        #expect(await store.lastSequence() == 1, "the first token is gone")
        await store.close()
        _ = try CoordinatorHome(directory: scratch.path)
    }

    @Test("of which only a journal or an authority is there is not taken for one that was cut off")
    func remains() async throws {
        for name in ["journal.sqlite", "authority.key", "coordinator.pem"] {
            let scratch = try Scratch()
            _ = FileManager.default.createFile(atPath: scratch.path + "/" + name, contents: nil)
            let error = await #expect(throws: StoreError.self) { try await make(scratch) }
            #expect(error?.description.contains(name) == true)
        }
    }

    @Test("renews the coordinator's certificate once two thirds of its life are over, not before")
    func renewal() async throws {
        let scratch = try Scratch()
        let made = wallClock()
        _ = try await make(scratch, now: made)
        let home = try CoordinatorHome(directory: scratch.path)
        let first = try home.certificate(now: made, logger: silent)
        let day = Milliseconds.seconds(86_400)
        let same = try home.certificate(
            now: made + Milliseconds(day.count * 250), logger: silent)
        #expect(same.ends == first.ends)
        let after = made + Milliseconds(day.count * 270)
        let renewed = try home.certificate(now: after, logger: silent)
        #expect(renewed.ends > first.ends)
        #expect(renewed.chain != first.chain && renewed.key != first.key)
        let kept = try home.certificate(now: after, logger: silent)
        #expect(kept.chain == renewed.chain && kept.key == renewed.key)
    }

    @Test(
        "gets a new certificate when its files are no pair, as a crash between them leaves it",
        arguments: ["coordinator.key", "coordinator.pem"])
    func pair(_ name: String) async throws {
        let (scratch, other) = (try Scratch(), try Scratch())
        _ = try await make(scratch)
        _ = try await make(other)
        let home = try CoordinatorHome(directory: scratch.path)
        let path = scratch.path + "/" + name
        for change in [
            { try FileManager.default.removeItem(atPath: path) },
            {
                let bytes = try Data(contentsOf: URL(fileURLWithPath: other.path + "/" + name))
                try PrivateFiles.write(Array(bytes), to: path)
            },
            { try PrivateFiles.write(Array("no PEM".utf8), to: path) },
        ] as [() throws -> Void] {
            try change()
            let made = try home.certificate(now: wallClock(), logger: silent)
            let kept = try home.certificate(now: wallClock(), logger: silent)
            #expect(made.chain == kept.chain && made.key == kept.key)
        }
    }

    @Test("refuses files that others may read, and never prints a key")
    func privacy() async throws {
        let scratch = try Scratch()
        _ = try await make(scratch)
        let home = try CoordinatorHome(directory: scratch.path)
        let certificate = try home.certificate(now: wallClock(), logger: silent)
        #expect(!"\(home)".contains("PRIVATE") && !"\(home.authority)".contains("key"))
        #expect(!"\(certificate)".contains("PRIVATE"))
        let names = [
            "authority.key", "authority.pem", "coordinator.key", "coordinator.pem",
            "identity.json", "journal.sqlite",
        ]
        for name in names {
            let path = scratch.path + "/" + name
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
            #expect(mode as? Int == 0o600, "\(name)")
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
            #expect(throws: StoreError.self) {
                _ = try CoordinatorHome(directory: scratch.path)
                _ = try SQLiteStateStore(directory: scratch.path)
            }
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        }
    }

    @Test("that lost its journal is not begun anew in silence", arguments: [true, false])
    func lostJournal(isEmptied: Bool) async throws {
        let scratch = try Scratch()
        _ = try await make(scratch)
        let journal = scratch.path + "/journal.sqlite"
        try FileManager.default.removeItem(atPath: journal)
        if isEmptied { _ = FileManager.default.createFile(atPath: journal, contents: nil) }
        let error = #expect(throws: StoreError.self) {
            _ = try CoordinatorHome(directory: scratch.path)
        }
        #expect("\(String(describing: error))".contains("journal.sqlite is missing or empty"))
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
