package import FleetWire
import Logging
import OperatorAPI
package import RolloutCore
import StateStore

extension Coordinator {
    /// A checkpoint's content.
    private struct KeptRollout: Codable {
        var machine: RolloutMachine
        var reported: [String: UInt64]
        var rollbacks: [String: Int]
    }

    /// Replays the journal, raises the generation, and lets every open rollout go on.
    /// Throws when the store cannot be read or a record does not decode.
    package func recover() async throws {
        generation = try await store.raiseGeneration()
        try await replayFleet()
        var lost: [(RolloutID, [Digest], String)] = []
        for stream in try await store.streams() where stream != "fleet" {
            guard let id = RolloutID(stream) else { continue }
            lost += try await replay(id).map { (id, $0.0, $0.1) }
        }
        head = try await store.lastSequence()
        enqueue(.fleet(.started(generation: generation)), actor: "coordinator", done: nil)
        for id in order where rollouts[id]?.machine.isFinished == false {
            enqueue(
                .rollout(id, .recovered(generation, at: clock())), actor: "coordinator", done: nil)
        }
        for (id, digests, reason) in lost { quarantine(digests, reason: reason, of: id) }
    }

    private func replayFleet() async throws {
        try await forEachRecord(of: "fleet", after: 0) { record in
            let event = try WireJSON.decode(FleetEvent.self, from: record.content.payload)
            self.remember(event, record.sequence)
            if case .unquarantined(let digest, _) = event { self.lifted.insert(digest) }
        }
    }

    /// Gives the quarantines that the journal's fleet stream may have missed.
    private func replay(_ id: RolloutID) async throws -> [([Digest], String)] {
        rollouts[id] = try await restored(id) ?? Running()
        order.append(id)
        var missed: [([Digest], String)] = []
        let known = registry.quarantine
        try await forEachRecord(of: id.rawValue, after: rollouts[id]?.lastSequence ?? 0) { record in
            let event = try WireJSON.decode(RolloutEvent.self, from: record.content.payload)
            for effect in self.advance(id, event, record.sequence) {
                switch effect {
                case .wake(let at): self.rollouts[id]?.wakeAt = at
                case .quarantine(let digests, let reason):
                    let unknown = digests.filter {
                        known[$0] == nil && !self.lifted.contains($0)
                    }
                    if !unknown.isEmpty { missed.append((unknown, reason)) }
                default: break
                }
            }
        }
        return missed
    }

    /// The rollout as of its checkpoint; nil if there is none that this version reads, and then
    /// the journal alone is enough.
    private func restored(_ id: RolloutID) async throws -> Running? {
        guard let checkpoint = try await store.checkpoint(of: id.rawValue) else { return nil }
        guard let kept = try? WireJSON.decode(KeptRollout.self, from: checkpoint.state) else {
            logger.warning(
                "a checkpoint does not decode; replaying all", metadata: ["rollout": "\(id)"])
            return nil
        }
        var running = Running()
        running.machine = kept.machine
        running.lastSequence = checkpoint.sequence
        running.rollbacks = kept.rollbacks
        for (name, number) in kept.reported {
            guard let host = HostID(name) else { continue }
            count(number, of: host, at: checkpoint.sequence)
        }
        return running
    }

    private func forEachRecord(
        of stream: String, after first: UInt64,
        _ body: (JournalRecord) throws -> Void
    ) async throws {
        var after = first
        while true {
            let records = try await store.records(after: after, stream: stream, limit: 1000)
            guard let last = records.last else { return }
            for record in records {
                do {
                    try body(record)
                } catch {
                    throw StoreError.unusable(
                        "journal record \(record.sequence) (\(record.content.kind)) cannot be "
                            + "read: \(error); was it written by a newer version?")
                }
            }
            after = last.sequence
        }
    }

    /// Keeps the state of rollouts that moved on far since their last checkpoint.
    func saveCheckpoints() async {
        for (id, running) in rollouts
        where running.sinceCheckpoint >= CoordinatorLimits.checkpointEvery {
            rollouts[id]?.sinceCheckpoint = 0
            let kept = KeptRollout(
                machine: running.machine,
                reported: Dictionary(
                    uniqueKeysWithValues: reported.map { ($0.key.rawValue, $0.value) }),
                rollbacks: running.rollbacks)
            do {
                try await store.save(
                    Checkpoint(
                        stream: id.rawValue, sequence: running.lastSequence,
                        state: try WireJSON.encode(kept)))
            } catch {
                logger.error("no checkpoint was saved", metadata: ["error": "\(error)"])
            }
        }
    }

    /// All lines of a rollout's history, derived anew from its journal.
    /// Throws `APIFailure` for a rollout that is not known.
    package func history(of id: RolloutID) async throws -> [HistoryEntry] {
        guard rollouts[id] != nil else { throw Self.unknown(id) }
        var machine = RolloutMachine()
        var history: [HistoryEntry] = []
        try await forEachRecord(of: id.rawValue, after: 0) { record in
            let event = try WireJSON.decode(RolloutEvent.self, from: record.content.payload)
            for case .note(let entry) in machine.handle(event) { history.append(entry) }
        }
        return history
    }

    static func unknown(_ id: RolloutID) -> APIFailure {
        APIFailure(
            code: "not_found", message: "there is no rollout \(id)",
            remedy: "`belay rollout list` shows all")
    }
}
