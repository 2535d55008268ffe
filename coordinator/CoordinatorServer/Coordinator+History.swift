package import FleetWire
package import RolloutCore
import StateStore

/// A rollout's machine at the place up to which its history was told.
struct HistoryCursor: Sendable {
    var machine = RolloutMachine()
    var sequence: UInt64 = 0
    var count = 0
}

extension Coordinator {
    /// The lines of a rollout's history after the first `after`, derived from its journal. Whoever
    /// follows it costs no more than what is new.
    /// Throws `APIFailure` for a rollout that is not known.
    package func history(of id: RolloutID, after: Int = 0) async throws -> [HistoryEntry] {
        guard isKnown(id) else { throw Self.unknown(id) }
        var cursor = rollouts[id]?.history ?? HistoryCursor()
        if cursor.count > after { cursor = HistoryCursor() }
        var lines: [HistoryEntry] = []
        try await forEachEvent(RolloutEvent.self, of: id.rawValue, after: cursor.sequence) {
            event, sequence in
            for case .note(let entry) in cursor.machine.handle(event) {
                cursor.count += 1
                if cursor.count > after { lines.append(entry) }
            }
            cursor.sequence = sequence
        }
        rollouts[id]?.history = cursor
        return lines
    }
}
