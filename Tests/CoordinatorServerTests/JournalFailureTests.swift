@testable import CoordinatorServer
import FleetWire
import OperatorAPI
import StateStore
import Testing

/// A store whose disk can be full.
private actor FullStore: StateStore {
    private let base = MemoryStateStore()
    private var isFull = false
    private(set) var appends = 0

    func fill(_ full: Bool) { isFull = full }

    func append(
        _ records: [NewRecord], expecting expected: UInt64
    ) async throws -> [JournalRecord] {
        guard !isFull else { throw StoreError.unusable("disk full") }
        appends += 1
        return try await base.append(records, expecting: expected)
    }
    func lastSequence() async throws -> UInt64 { await base.lastSequence() }
    func records(
        after sequence: UInt64, stream: String?, limit: Int
    ) async throws -> [JournalRecord] {
        await base.records(after: sequence, stream: stream, limit: limit)
    }
    func streams() async throws -> [String] { await base.streams() }
    func save(_ checkpoint: Checkpoint) async throws { await base.save(checkpoint) }
    func checkpoint(of stream: String) async throws -> Checkpoint? {
        await base.checkpoint(of: stream)
    }
    func raiseGeneration(atLeast least: Generation) async throws -> Generation {
        await base.raiseGeneration(atLeast: least)
    }
    func anchor() async throws -> UInt64 { await base.anchor() }
    func close() async {}
}

@Suite("A journal that cannot be written")
struct JournalFailureTests {
    private func run(
        _ store: any StateStore, _ body: (Coordinator) async throws -> Void
    ) async throws {
        let coordinator = Coordinator(
            store: store, authority: nil, logger: silent, clock: wallClock)
        try await coordinator.recover()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await coordinator.run() }
            try await body(coordinator)
            coordinator.stop()
            try await group.waitForAll()
        }
    }

    @Test("refuses every decision with `unavailable`, and goes on once it can be written")
    func full() async throws {
        let store = FullStore()
        try await run(store) { coordinator in
            let request = AccessRequest(name: "a", role: .viewer, lifetime: nil)
            _ = try await coordinator.grantAccess(request, by: "t")
            await store.fill(true)
            let error = await #expect(throws: APIFailure.self) {
                _ = try await coordinator.grantAccess(request, by: "t")
            }
            #expect(error?.code == "unavailable")
            #expect(coordinator.directory.snapshot.access.count == 1)
            await store.fill(false)
            _ = try await coordinator.grantAccess(request, by: "t")
            #expect(coordinator.directory.snapshot.access.count == 2)
            #expect(await coordinator.journalFailure == nil)
        }
    }

    @Test("keeps what nobody waits for until it can be written")
    func kept() async throws {
        let store = FullStore()
        try await run(store) { coordinator in
            await store.fill(true)
            let digest = Tokens.hash("bad")
            await coordinator.quarantine([digest], reason: "r", of: RolloutID(unchecked: "x-1"))
            try await eventually("the failure shows") {
                await coordinator.journalFailure != nil
            }
            await store.fill(false)
            try await eventually("the event is there") {
                coordinator.directory.snapshot.quarantine[digest] != nil
            }
        }
    }

    @Test("ends the coordinator when somebody else writes it")
    func conflict() async throws {
        let store = FullStore()
        await #expect(throws: StoreError.self) {
            try await run(store) { coordinator in
                try await eventually("the start is durable") { await store.appends > 0 }
                let last = try await store.lastSequence()
                _ = try await store.append(
                    [
                        NewRecord(
                            at: wallClock(), actor: "x", stream: "fleet", kind: "x", payload: [])
                    ], expecting: last)
                let answer = try? await coordinator.grantAccess(
                    AccessRequest(name: "a", role: .viewer, lifetime: nil), by: "t")
                #expect(answer == nil)
            }
        }
    }

    @Test("commits what waits together as one batch")
    func batch() async throws {
        let store = FullStore()
        try await run(store) { coordinator in
            try await eventually("the start is durable") { await store.appends > 0 }
            let before = await store.appends
            await flood(coordinator)
            try await eventually("all are there") {
                coordinator.directory.snapshot.quarantine.count == 50
            }
            #expect(await store.appends - before == 1)
        }
    }

    private func flood(_ coordinator: isolated Coordinator) {
        for number in 0..<50 {
            coordinator.quarantine(
                [Tokens.hash("\(number)")], reason: "r", of: RolloutID(unchecked: "x-1"))
        }
    }
}
