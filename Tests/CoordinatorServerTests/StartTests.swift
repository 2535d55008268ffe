@testable import CoordinatorServer
import FleetWire
import OperatorAPI
import SQLiteFile
import StateStore
import Testing

@Suite("A start of the coordinator", .serialized)
struct StartTests {
    private func coordinator(_ store: any StateStore) -> Coordinator {
        Coordinator(store: store, authority: nil, logger: silent, clock: wallClock)
    }

    private func records(_ events: [FleetEvent]) throws -> [NewRecord] {
        try events.map {
            NewRecord(
                at: wallClock(), actor: "operator:t", stream: "fleet", kind: $0.kind,
                payload: try WireJSON.encode($0))
        }
    }

    private func history(_ count: Int) -> [FleetEvent] {
        let request = TokenRequest(
            lifetime: .seconds(60), uses: 99, labels: ["zone_a": "x"], host: nil)
        let ends = wallClock() + .seconds(60)
        let begin: [FleetEvent] = [
            .tokenMade(id: "t1", secret: Tokens.hash("t1"), request: request, expires: ends),
            .enrolled(
                host: HostID(unchecked: "h_1"), serial: "0", ends: ends, token: "t1",
                key: Tokens.hash("key")),
            .unquarantined(digest: Tokens.hash("bad"), reason: nil),
            .strayReport(
                host: HostID(unchecked: "h_1"), sequence: 7, rollout: RolloutID(unchecked: "r")),
        ]
        let renewals = (begin.count..<count).map {
            FleetEvent.renewed(host: HostID(unchecked: "h_1"), serial: "\($0)", ends: ends)
        }
        return begin + renewals
    }

    @Test("knows of the fleet the same from its checkpoint as from the whole journal")
    func fleetCheckpoint() async throws {
        let (resumed, whole) = (MemoryStateStore(), MemoryStateStore())
        let events = history(600)
        for store in [resumed, whole] {
            _ = try await store.append(try records(Array(events.prefix(520))), expecting: 0)
        }
        let first = coordinator(resumed)
        try await first.recover()
        await first.saveCheckpoints()
        let kept = try #require(await resumed.checkpoint(of: "fleet"))
        #expect(kept.sequence == 520)
        for store in [resumed, whole] {
            _ = try await store.append(
                try records(Array(events.dropFirst(520))), expecting: 520)
        }
        let (again, replayed) = (coordinator(resumed), coordinator(whole))
        try await again.recover()
        try await replayed.recover()
        #expect(await again.fleetMark.since == 80, "it begins at the checkpoint")
        let (found, expected) = (await again.registry, await replayed.registry)
        #expect(found.hosts == expected.hosts && found.hosts.count == 1)
        #expect(found.tokens == expected.tokens && found.tokens["t1"]?.used == 1)
        #expect(await again.enrolledAt == replayed.enrolledAt)
        #expect(await again.lifted == replayed.lifted)
        #expect(await again.lastReport(of: HostID(unchecked: "h_1")) == 7)
        #expect(await again.fleetMark.last == 600)
    }

    @Test("uses the journal where the fleet's checkpoint cannot be read")
    func damagedCheckpoint() async throws {
        let store = MemoryStateStore()
        _ = try await store.append(try records(history(10)), expecting: 0)
        await store.save(Checkpoint(stream: "fleet", sequence: 9, state: Array("{}".utf8)))
        let coordinator = coordinator(store)
        try await coordinator.recover()
        #expect(await coordinator.registry.hosts.count == 1)
        #expect(await coordinator.fleetMark.since == 10)
    }

    @Test("uses the journal where the fleet's checkpoint was changed, moved or has no digest")
    func changedCheckpoint() async throws {
        let changes = [
            // A token that nobody made, of the same length.
            "UPDATE checkpoint SET state = CAST(replace(CAST(state AS TEXT), 't1', 't9') AS BLOB)",
            "UPDATE checkpoint SET sequence = 9", "UPDATE checkpoint SET digest = NULL",
        ]
        for change in changes {
            let scratch = try Scratch()
            let first = coordinator(try SQLiteStateStore(directory: scratch.path))
            _ = try await first.store.append(try records(history(10)), expecting: 0)
            try await first.recover()
            await first.saveFleetCheckpoint()
            #expect(try await first.store.checkpoint(of: "fleet")?.sequence == 10)
            await first.store.close()
            do {
                let database = try SQLiteConnection(path: scratch.path + "/journal.sqlite")
                try database.execute(change)
            }
            let store = try SQLiteStateStore(directory: scratch.path)
            await #expect(throws: StoreError.self, "\(change)") {
                try await store.checkpoint(of: "fleet")
            }
            let again = coordinator(store)
            try await again.recover()
            #expect(await again.registry.tokens.keys.sorted() == ["t1"], "\(change)")
            #expect(await again.fleetMark.since == 10, "all was replayed: \(change)")
            await again.saveFleetCheckpoint()
            #expect(try await store.checkpoint(of: "fleet")?.sequence == 10)
            await store.close()
        }
    }

    @Test("finds a changed record amid its work, and a missing end before it appends anything")
    func brokenChain() async throws {
        for (change, sequence) in [
            ("UPDATE journal SET actor = 'operator:eve' WHERE sequence = 3", 3 as UInt64),
            ("DELETE FROM journal WHERE sequence > 8", 9),
        ] {
            let scratch = try Scratch()
            let first = try SQLiteStateStore(directory: scratch.path)
            _ = try await first.append(try records(history(10)), expecting: 0)
            await first.close()
            do {
                let database = try SQLiteConnection(path: scratch.path + "/journal.sqlite")
                _ = try database.execute(change)
            }
            let coordinator = coordinator(try SQLiteStateStore(directory: scratch.path))
            try await coordinator.recover()
            let atOnce = await coordinator.journalBreak?.sequence
            #expect(atOnce == (sequence == 9 ? 9 : nil))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await coordinator.run() }
                try await eventually("it is found") {
                    await coordinator.journalBreak?.sequence == sequence
                }
                coordinator.stop()
                try await group.waitForAll()
            }
            #expect(await coordinator.journalBreak?.sequence == sequence)
        }
    }
}
