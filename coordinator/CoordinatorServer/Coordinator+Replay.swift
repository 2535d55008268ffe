import FleetWire
import StateStore

/// One event of the journal, decoded.
struct KnownEvent<Event: Sendable>: Sendable {
    let event: Event
    let sequence: UInt64
}

extension Coordinator {
    /// Hands all events of a stream after `first` to `body`, in order. While a page of them is handled,
    /// the next one is read and decoded, which is most of the work of a start.
    /// Throws when a record cannot be read, and names it.
    func forEachEvent<Event: Decodable & Sendable>(
        _ type: Event.Type, of stream: String, after first: UInt64,
        _ body: (Event, UInt64) throws -> Void
    ) async throws {
        let store = store
        var page = try await Self.page(type, of: stream, after: first, in: store)
        while let last = page.last {
            async let following = Self.page(type, of: stream, after: last.sequence, in: store)
            for known in page { try body(known.event, known.sequence) }
            page = try await following
        }
    }

    /// The next events of a stream; none at its end. The parts of a page are decoded side by side.
    private nonisolated static func page<Event: Decodable & Sendable>(
        _ type: Event.Type, of stream: String, after sequence: UInt64, in store: any StateStore
    ) async throws -> [KnownEvent<Event>] {
        let records = try await store.records(
            after: sequence, stream: stream, limit: CoordinatorLimits.replayPage)
        let half = records.count / 2
        async let second = decoded(type, records[half...])
        return try await decoded(type, records[..<half]) + second
    }

    private nonisolated static func decoded<Event: Decodable & Sendable>(
        _ type: Event.Type, _ records: ArraySlice<JournalRecord>
    ) async throws -> [KnownEvent<Event>] {
        try records.map { record in
            do {
                return KnownEvent(
                    event: try WireJSON.decode(type, from: record.content.payload),
                    sequence: record.sequence)
            } catch {
                throw StoreError.unusable(
                    "journal record \(record.sequence) (\(record.content.kind)) cannot be "
                        + "read: \(error); was it written by a newer version?")
            }
        }
    }
}
