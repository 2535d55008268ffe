import CoordinatorServer
import FleetWire
import Glibc
import RolloutCore
import StateStore

/// Appends events as a coordinator does, in batches.
struct JournalWriter {
    private static let batch = 1000
    private let store: SQLiteStateStore
    private var head: UInt64
    private var records: [NewRecord] = []
    /// Of the next event; each comes a millisecond after the one before.
    private(set) var now: Timestamp

    init(store: SQLiteStateStore) async {
        self.store = store
        head = await store.lastSequence()
        now = Timestamp(milliseconds: Int64(time(nil)) * 1000)
    }

    mutating func add(_ event: FleetEvent) async throws {
        try await add("fleet", event.kind, try WireJSON.encode(event))
    }

    mutating func add(_ event: RolloutEvent) async throws {
        try await add(JournalPlan.rollout.rawValue, event.kind, try WireJSON.encode(event))
    }

    private mutating func add(_ stream: String, _ kind: String, _ payload: [UInt8]) async throws {
        records.append(
            NewRecord(
                at: now, actor: "coordinator", stream: stream, kind: kind, payload: payload))
        now = now + Milliseconds(1)
        if records.count >= Self.batch { try await flush() }
    }

    /// Makes what was added durable.
    mutating func flush() async throws {
        head = try await store.append(records, expecting: head).last?.sequence ?? head
        records = []
    }

    /// The events of a rollout that stand in the journal.
    func known(of rollout: RolloutID) async throws -> [RolloutEvent] {
        try await store.records(after: 0, stream: rollout.rawValue, limit: .max).map {
            try WireJSON.decode(RolloutEvent.self, from: $0.content.payload)
        }
    }
}
