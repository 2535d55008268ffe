import FleetWire
import StateStore
import Testing

@Suite("Every state store")
struct ConformanceTests {
    @Test("begins empty", arguments: Store.allCases)
    func empty(_ kind: Store) async throws {
        let scratch = try Scratch()
        let store = try kind.open(in: scratch)
        #expect(try await store.lastSequence() == 0)
        #expect(try await store.records(after: 0, stream: nil, limit: 10).isEmpty)
        #expect(try await store.streams().isEmpty)
        #expect(try await store.checkpoint(of: "x") == nil)
        let audit = try await store.audit()
        #expect(audit.records == 0 && audit.broken == nil)
    }

    @Test("numbers records without gaps and chains them", arguments: Store.allCases)
    func chain(_ kind: Store) async throws {
        let scratch = try Scratch()
        let store = try kind.open(in: scratch)
        let first = try await store.append([record(1), record(2)], expecting: 0)
        let second = try await store.append([record(3)], expecting: 2)
        #expect((first + second).map(\.sequence) == [1, 2, 3])
        #expect(first[0].previous == JournalRecord.origin)
        #expect(first[1].previous == first[0].hash)
        #expect(second[0].previous == first[1].hash)
        #expect(try await store.records(after: 0, stream: nil, limit: 10) == first + second)
        let audit = try await store.audit()
        #expect(audit.records == 3 && audit.head == second[0].hash && audit.broken == nil)
    }

    @Test(
        "refuses an append that expects another end, and keeps nothing of it",
        arguments: Store.allCases)
    func conflict(_ kind: Store) async throws {
        let scratch = try Scratch()
        let store = try kind.open(in: scratch)
        _ = try await store.append([record(1)], expecting: 0)
        await #expect(throws: StoreError.conflict(expected: 0, actual: 1)) {
            try await store.append([record(2), record(3)], expecting: 0)
        }
        await #expect(throws: StoreError.conflict(expected: 7, actual: 1)) {
            try await store.append([record(2)], expecting: 7)
        }
        #expect(try await store.lastSequence() == 1)
    }

    @Test("lets one of many concurrent appends win", arguments: Store.allCases)
    func race(_ kind: Store) async throws {
        let scratch = try Scratch()
        let store = try kind.open(in: scratch)
        let won = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<20 {
                group.addTask { (try? await store.append([record(number)], expecting: 0)) != nil }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(won == 1)
        #expect(try await store.lastSequence() == 1)
    }

    @Test(
        "reads one stream, in order, from where it is asked, as many as asked",
        arguments: Store.allCases)
    func streams(_ kind: Store) async throws {
        let scratch = try Scratch()
        let store = try kind.open(in: scratch)
        let records = (1...9).map { record($0, stream: $0 % 3 == 0 ? "b" : "a") }
        _ = try await store.append(records, expecting: 0)
        #expect(try await store.streams() == ["a", "b"])
        let found = try await store.records(after: 3, stream: "b", limit: 10)
        #expect(found.map(\.sequence) == [6, 9])
        #expect(try await store.records(after: 0, stream: "a", limit: 2).map(\.sequence) == [1, 2])
        #expect(try await store.records(after: .max, stream: nil, limit: 2).isEmpty)
        #expect(try await store.records(after: 0, stream: "c", limit: 2).isEmpty)
    }

    @Test("keeps the newest checkpoint of each stream", arguments: Store.allCases)
    func checkpoints(_ kind: Store) async throws {
        let scratch = try Scratch()
        let store = try kind.open(in: scratch)
        try await store.save(Checkpoint(stream: "a", sequence: 1, state: [1]))
        try await store.save(Checkpoint(stream: "b", sequence: 2, state: [2]))
        try await store.save(Checkpoint(stream: "a", sequence: 3, state: [3]))
        #expect(
            try await store.checkpoint(of: "a") == Checkpoint(stream: "a", sequence: 3, state: [3]))
        #expect(
            try await store.checkpoint(of: "b") == Checkpoint(stream: "b", sequence: 2, state: [2]))
    }

    @Test("raises the generation each time", arguments: Store.allCases)
    func generation(_ kind: Store) async throws {
        let scratch = try Scratch()
        let store = try kind.open(in: scratch)
        #expect(try await store.raiseGeneration() == Generation(rawValue: 1))
        #expect(try await store.raiseGeneration() == Generation(rawValue: 2))
        for (least, given) in [(1, 3), (9, 9), (9, 10)] as [(UInt64, UInt64)] {
            let raised = try await store.raiseGeneration(atLeast: Generation(rawValue: least))
            #expect(raised == Generation(rawValue: given))
        }
    }

    @Test("can be audited while others append", arguments: Store.allCases)
    func audited(_ kind: Store) async throws {
        let scratch = try Scratch()
        let store = try kind.open(in: scratch)
        _ = try await store.append((1...2000).map { record($0) }, expecting: 0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for number in 0..<20 {
                    _ = try await store.append([record(number)], expecting: UInt64(2000 + number))
                }
            }
            for _ in 0..<5 {
                let audit = try await store.audit()
                #expect(audit.broken == nil && (2000...2020).contains(audit.records))
            }
            try await group.waitForAll()
        }
    }

    @Test("keeps any bytes and any text as they are", arguments: Store.allCases)
    func odd(_ kind: Store) async throws {
        let scratch = try Scratch()
        let store = try kind.open(in: scratch)
        let odd = NewRecord(
            at: Timestamp(milliseconds: -1), actor: "o'\"; DROP TABLE journal;--",
            stream: "s\u{1F980}", kind: "", payload: [0, 255, 10])
        let written = try await store.append([odd], expecting: 0)
        #expect(try await store.records(after: 0, stream: odd.stream, limit: 1) == written)
        #expect(written[0].content == odd && written[0].isIntact)
    }
}
