package import FleetWire

/// A store that forgets everything when it goes, for tests and simulation.
package actor MemoryStateStore: StateStore {
    private var journal: [JournalRecord] = []
    private var checkpoints: [String: Checkpoint] = [:]
    private var generation = Generation(rawValue: 0)

    /// An empty store.
    package init() {}

    /// See `StateStore`.
    package func append(
        _ records: [NewRecord], expecting expected: UInt64
    ) throws -> [JournalRecord] {
        let actual = UInt64(journal.count)
        guard actual == expected else {
            throw StoreError.conflict(expected: expected, actual: actual)
        }
        var added: [JournalRecord] = []
        for content in records {
            let last = added.last ?? journal.last
            added.append(
                JournalRecord(
                    sequence: (last?.sequence ?? 0) + 1, content: content,
                    previous: last?.hash ?? JournalRecord.origin))
        }
        journal += added
        return added
    }

    /// See `StateStore`.
    package func lastSequence() -> UInt64 { UInt64(journal.count) }

    /// See `StateStore`.
    package func records(
        after sequence: UInt64, stream: String?, limit: Int
    ) -> [JournalRecord] {
        let rest = journal.dropFirst(Int(clamping: sequence))
        return Array(rest.filter { stream == nil || $0.content.stream == stream }.prefix(limit))
    }

    /// See `StateStore`.
    package func streams() -> [String] {
        var seen: [String] = []
        for record in journal where !seen.contains(record.content.stream) {
            seen.append(record.content.stream)
        }
        return seen
    }

    /// See `StateStore`.
    package func save(_ checkpoint: Checkpoint) { checkpoints[checkpoint.stream] = checkpoint }

    /// See `StateStore`.
    package func checkpoint(of stream: String) -> Checkpoint? { checkpoints[stream] }

    /// See `StateStore`.
    package func raiseGeneration(atLeast least: Generation) -> Generation {
        generation = max(least, Generation(rawValue: generation.rawValue + 1))
        return generation
    }

    /// See `StateStore`.
    package func anchor() -> UInt64 { UInt64(journal.count) }

    /// See `StateStore`. There is nothing to let go of: whoever has this value has its content.
    package func close() {}
}
