package import FleetWire
import Logging
import OperatorAPI
import RolloutCore
import StateStore

extension Coordinator {
    /// A checkpoint's content.
    struct KeptRollout: Codable {
        var machine: RolloutMachine
        var reports: [String: ReportCount]
    }

    /// Raises the generation, by one or to `least` if that is more, replays the journal, and lets
    /// every open rollout go on. Throws when the store cannot be used or a record does not decode.
    package func recover(atLeast least: Generation = Generation(rawValue: 0)) async throws {
        await lookForMissingEnd()
        try await beginTerm(atLeast: least)
        enqueue(.fleet(.started(generation: generation)), actor: "coordinator", done: nil)
        try await replayFleet()
        for stream in try await store.streams() where stream != "fleet" {
            guard let id = RolloutID(stream) else { continue }
            try await replay(id)
            await archiveEnded()
        }
        head = try await store.lastSequence()
        endInterruptedPointOrders()
        for id in order where rollouts[id]?.machine.isFinished == false {
            enqueue(
                .rollout(id, .recovered(generation, at: clock())), actor: "coordinator", done: nil)
        }
    }

    /// What was cut off the journal is named before anything is appended to it.
    private func lookForMissingEnd() async {
        do {
            if let found = try await store.missingEnd() { report(found) }
        } catch {
            logger.critical("the journal cannot be checked", metadata: ["reason": "\(error)"])
        }
    }

    /// Checks the whole chain while the coordinator works: the longer the journal is, the less can a
    /// start wait for it.
    func checkChain() async {
        do {
            guard let found = try await store.audit().broken else { return }
            if journalBreak.map({ found.sequence < $0.sequence }) ?? true { report(found) }
        } catch is CancellationError {
            return
        } catch {
            logger.critical("the journal cannot be checked", metadata: ["reason": "\(error)"])
        }
    }

    /// Says loudly that the journal is not as it was written. The coordinator goes on all the same:
    /// hosts that are amid a rollout need it to be taken back.
    private func report(_ found: AuditReport.Break) {
        journalBreak = found
        logger.critical(
            "the journal is not as it was written; restore a copy of it that is",
            metadata: ["record": "\(found.sequence)", "reason": "\(found.reason)"])
    }

    private func replayFleet() async throws {
        await restoreFleet()
        try await forEachEvent(FleetEvent.self, of: "fleet", after: fleetMark.last) {
            self.remember($0, $1)
        }
    }

    /// Brings a rollout into memory, and gives the quarantines that the fleet's stream may have
    /// missed. Its effects have left before, or are given again by `recovered`.
    private func replay(_ id: RolloutID) async throws {
        rollouts[id] = try await restored(id) ?? Running()
        order.append(id)
        let known = registry.quarantine
        let after = rollouts[id]?.lastSequence ?? 0
        try await forEachEvent(RolloutEvent.self, of: id.rawValue, after: after) {
            event, sequence in
            for effect in self.advance(id, event, sequence) {
                switch effect {
                case .wake(let at): self.rollouts[id]?.wakeAt = at
                case .quarantine(let digests, let reason, let until):
                    let missed = digests.filter {
                        !FleetRegistry.covers(known[$0], id, until) && !self.lifted.contains($0)
                    }
                    if !missed.isEmpty {
                        self.quarantine(missed, reason: reason, until: until, of: id)
                    }
                default: break
                }
            }
        }
        for (host, count) in rollouts[id]?.reports ?? [:] {
            self.count(count.number, of: host, at: count.at)
        }
    }

    /// A checkpoint that is what was saved; nil, and said so, for one that was changed.
    func usableCheckpoint(of stream: String) async throws -> Checkpoint? {
        do {
            return try await store.checkpoint(of: stream)
        } catch let error as StoreError {
            guard case .changedCheckpoint(_, let isUnsigned) = error else { throw error }
            logger.log(
                level: isUnsigned ? .notice : .error,
                "a checkpoint cannot be trusted; replaying all",
                metadata: ["stream": "\(stream)", "reason": "\(error)"])
            return nil
        }
    }

    /// The rollout as of its checkpoint; nil if there is none that this version reads, and then
    /// the journal alone is enough.
    private func restored(_ id: RolloutID) async throws -> Running? {
        guard let checkpoint = try await usableCheckpoint(of: id.rawValue) else { return nil }
        guard let kept = try? WireJSON.decode(KeptRollout.self, from: checkpoint.state) else {
            logger.warning(
                "a checkpoint does not decode; replaying all", metadata: ["rollout": "\(id)"])
            return nil
        }
        var running = Running()
        running.machine = kept.machine
        running.lastSequence = checkpoint.sequence
        running.checkpointSequence = checkpoint.sequence
        for (name, count) in kept.reports {
            if let host = HostID(name) { running.reports[host] = count }
        }
        return running
    }

    // MARK: - Checkpoints

    /// Keeps the state of what moved on far since its last checkpoint, and lets go of rollouts that
    /// ended.
    func saveCheckpoints() async {
        if fleetMark.since >= CoordinatorLimits.checkpointEvery { await saveFleetCheckpoint() }
        for (id, running) in rollouts
        where running.sinceCheckpoint >= CoordinatorLimits.checkpointEvery {
            _ = await saveCheckpoint(of: id)
        }
        await archiveEnded()
    }

    /// Keeps the newest state of the fleet and of all rollouts in memory; a stop in order does, so that
    /// the next start replays nothing of them.
    func saveAllCheckpoints() async {
        if fleetMark.since > 0 { await saveFleetCheckpoint() }
        for id in rollouts.keys { _ = await saveCheckpoint(of: id) }
    }

    /// True if the newest state of a rollout is in its checkpoint.
    private func saveCheckpoint(of id: RolloutID) async -> Bool {
        guard let running = rollouts[id] else { return false }
        if running.checkpointSequence == running.lastSequence { return true }
        // A checkpoint hides the events from which a quarantine is given again after a crash.
        guard !pending.contains(where: { $0.isQuarantine }) else { return false }
        let reports = running.reports.map { ($0.key.rawValue, $0.value) }
        let kept = KeptRollout(
            machine: running.machine,
            reports: Dictionary(reports, uniquingKeysWith: { first, _ in first }))
        do {
            try await store.save(
                Checkpoint(
                    stream: id.rawValue, sequence: running.lastSequence,
                    state: try WireJSON.encode(kept)))
        } catch {
            logger.error("no checkpoint was saved", metadata: ["error": "\(error)"])
            return false
        }
        rollouts[id]?.sinceCheckpoint = 0
        rollouts[id]?.checkpointSequence = running.lastSequence
        return true
    }

    // MARK: - Rollouts that ended

    /// True for every rollout of the journal.
    func isKnown(_ id: RolloutID) -> Bool { rollouts[id] != nil || ended[id] != nil }

    /// Keeps the newest ended rollouts in memory, of the others only what lists and refusals need.
    func archiveEnded() async {
        let done = rollouts.filter { $0.value.machine.isFinished }
        guard done.count > CoordinatorLimits.endedKept else { return }
        let oldestFirst = done.sorted { $0.value.lastSequence < $1.value.lastSequence }
        for (id, _) in oldestFirst.dropLast(CoordinatorLimits.endedKept) {
            guard await saveCheckpoint(of: id), let running = rollouts[id],
                let kept = EndedRollout(running, now: clock())
            else { continue }
            ended[id] = kept
            rollouts[id] = nil
        }
    }

    /// Brings those ended rollouts back into memory that a batch has events for. One that cannot be
    /// read stays where it is, and its events are refused.
    func reviveAll(of batch: [Input]) async {
        for case .rollout(let id, _) in batch.map(\.content) where ended[id] != nil {
            do {
                rollouts[id] = try await load(id)
                ended[id] = nil
            } catch {
                logger.error(
                    "a rollout cannot be read",
                    metadata: ["rollout": "\(id)", "reason": "\(error)"])
            }
        }
    }

    /// A rollout's machine and the last record in it, from memory or from the store.
    /// Throws `APIFailure` for a rollout that is not known.
    func machine(of id: RolloutID) async throws -> (machine: RolloutMachine, sequence: UInt64) {
        if let running = rollouts[id] { return (running.machine, running.lastSequence) }
        guard ended[id] != nil else { throw Self.unknown(id) }
        let running = try await load(id)
        return (running.machine, running.lastSequence)
    }

    private func load(_ id: RolloutID) async throws -> Running {
        var running = try await restored(id) ?? Running()
        try await forEachEvent(RolloutEvent.self, of: id.rawValue, after: running.lastSequence) {
            _ = running.take($0, $1)
        }
        return running
    }

    static func unknown(_ id: RolloutID) -> APIFailure {
        APIFailure(
            code: "not_found", message: "there is no rollout \(id)",
            remedy: "`belay rollout list` shows all")
    }
}

/// What stays in memory of a rollout that ended a while ago.
struct EndedRollout: Sendable {
    let summary: RolloutSummary
    let footprint: Footprint

    init?(_ running: Coordinator.Running, now: Timestamp) {
        guard var view = running.machine.view(now: now) else { return nil }
        view.sequence = running.lastSequence
        summary = RolloutSummary(view)
        footprint = Footprint(view.hosts)
    }
}

/// What a rollout left on hosts.
struct Footprint: Sendable {
    /// Hosts that it changed and that were not taken back, since when.
    private(set) var changed: [HostID: Timestamp] = [:]
    /// Hosts that were taken back, since when.
    private(set) var back: [HostID: Timestamp] = [:]

    init(_ hosts: [RolloutView.HostView]) {
        for host in hosts {
            if host.changed, host.state != .rolledBack { changed[host.id] = host.since }
            if !host.changed, host.state == .rolledBack { back[host.id] = host.since }
        }
    }
}

extension Coordinator.Input {
    /// True for digests that are to be marked as known bad.
    var isQuarantine: Bool {
        if case .fleet(.quarantined) = content { true } else { false }
    }
}
