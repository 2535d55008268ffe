package import FleetWire
package import Logging
package import OperatorAPI
package import RolloutCore
package import StateStore

/// Owns all machines and the journal. One loop takes what came in, makes it durable as one batch,
/// hands it to the machines and lets their effects go: durable before visible.
package actor Coordinator {
    /// Something to decide on, and who waits until it is durable.
    struct Input: Sendable {
        enum Content: Sendable {
            case fleet(FleetEvent)
            case rollout(RolloutID, RolloutEvent)
        }
        let content: Content
        let actor: String
        let done: CheckedContinuation<Void, any Error>?
    }

    /// One rollout in memory.
    struct Running: Sendable {
        var machine = RolloutMachine()
        var history: [HistoryEntry] = []
        var wakeAt: Timestamp?
        var lastSequence: UInt64 = 0
        var sinceCheckpoint = 0
    }

    /// What a session tells of its host, beyond what is durable.
    struct Presence: Sendable {
        var session: AgentSession
        var facts: [String: String]
        var agentVersion: String
        var skew: Milliseconds
        var lastSeen: Timestamp
        var metrics: [String: Double] = [:]
    }

    let store: any StateStore
    let logger: Logger
    let clock: @Sendable () -> Timestamp
    var registry = FleetRegistry()
    var rollouts: [RolloutID: Running] = [:]
    var order: [RolloutID] = []
    var presence: [HostID: Presence] = [:]
    var reported: [HostID: UInt64] = [:]
    var generation = Generation(rawValue: 0)
    private var head: UInt64 = 0
    private var pending: [Input] = []
    private let signal: AsyncStream<Void>.Continuation
    private let signals: AsyncStream<Void>
    let work: AsyncStream<GateWork>.Continuation
    private let works: AsyncStream<GateWork>
    private var sessionCount: UInt64 = 0

    /// A gate to evaluate on the wave's hosts.
    struct GateWork: Sendable {
        let rollout: RolloutID
        let wave: String
        let gate: String
        let round: Int
        let request: CheckRequest
        let hosts: [HostID]
    }

    /// A coordinator over `store`; `clock` gives the wall-clock time.
    package init(
        store: any StateStore, logger: Logger, clock: @escaping @Sendable () -> Timestamp
    ) {
        self.store = store
        self.logger = logger
        self.clock = clock
        (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        (works, work) = AsyncStream.makeStream()
    }

    // MARK: - Start

    /// Replays the journal, raises the generation, and lets every open rollout go on.
    /// Throws when the store cannot be read or its chain does not decode.
    package func recover() async throws {
        generation = try await store.raiseGeneration()
        for stream in try await store.streams() {
            if stream == "fleet" {
                try await replayFleet()
            } else if let id = RolloutID(stream) {
                try await replayRollout(id)
            }
        }
        head = try await store.lastSequence()
        enqueue(.fleet(.started(generation: generation)), actor: "coordinator", done: nil)
        for id in order where rollouts[id]?.machine.isFinished == false {
            enqueue(
                .rollout(id, .recovered(generation, at: clock())), actor: "coordinator", done: nil)
        }
    }

    private func replayFleet() async throws {
        var after: UInt64 = 0
        while true {
            let records = try await store.records(after: after, stream: "fleet", limit: 1000)
            guard let last = records.last else { return }
            for record in records {
                let event = try WireJSON.decode(FleetEvent.self, from: record.content.payload)
                registry.apply(event)
                if case .enrolled(let host, _, _, _) = event { reported[host] = 0 }
            }
            after = last.sequence
        }
    }

    private func replayRollout(_ id: RolloutID) async throws {
        var running = Running()
        if let checkpoint = try await store.checkpoint(of: id.rawValue) {
            let kept = try WireJSON.decode(KeptRollout.self, from: checkpoint.state)
            running.machine = kept.machine
            running.history = kept.history
            running.lastSequence = checkpoint.sequence
            for (host, sequence) in kept.reported { note(sequence, of: host) }
        }
        while true {
            let records = try await store.records(
                after: running.lastSequence, stream: id.rawValue, limit: 1000)
            guard let last = records.last else { break }
            for record in records {
                let event = try WireJSON.decode(RolloutEvent.self, from: record.content.payload)
                if case .reported(let host, let report, _) = event {
                    note(report.sequence, of: host.rawValue)
                }
                for effect in running.machine.handle(event) {
                    if case .note(let entry) = effect { running.history.append(entry) }
                    if case .wake(let at) = effect { running.wakeAt = at }
                }
            }
            running.lastSequence = last.sequence
        }
        rollouts[id] = running
        order.append(id)
    }

    private func note(_ sequence: UInt64, of host: String) {
        guard let id = HostID(host) else { return }
        reported[id] = max(reported[id] ?? 0, sequence)
    }

    /// A checkpoint's content.
    private struct KeptRollout: Codable {
        var machine: RolloutMachine
        var history: [HistoryEntry]
        var reported: [String: UInt64]
    }

    // MARK: - The loop

    /// Decides until cancelled.
    package func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.decide() }
            group.addTask { await self.tick() }
            group.addTask { await self.evaluateGates() }
            await group.waitForAll()
        }
    }

    private func decide() async {
        signal.yield()
        for await _ in signals {
            while !pending.isEmpty {
                let batch = pending
                pending = []
                await process(batch)
            }
        }
    }

    private func tick() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(250))
            let now = clock()
            for (id, running) in rollouts {
                guard let due = running.wakeAt, due <= now else { continue }
                rollouts[id]?.wakeAt = nil
                enqueue(.rollout(id, .tick(at: now)), actor: "coordinator", done: nil)
            }
            dropSilentSessions(now)
        }
        signal.finish()
        work.finish()
    }

    private func dropSilentSessions(_ now: Timestamp) {
        for present in presence.values
        where now.since(present.lastSeen) > CoordinatorLimits.silenceMax {
            logger.warning("host is silent", metadata: ["host": "\(present.session.host)"])
            present.session.close()
        }
    }

    private func evaluateGates() async {
        await withDiscardingTaskGroup { group in
            for await item in works {
                group.addTask { await self.evaluate(item) }
            }
        }
    }

    func enqueue(
        _ content: Input.Content, actor: String, done: CheckedContinuation<Void, any Error>?
    ) {
        pending.append(Input(content: content, actor: actor, done: done))
        signal.yield()
    }

    /// Returns once the event is durable and the machines have seen it; throws when it was refused
    /// or the store failed.
    func submit(_ content: Input.Content, actor: String) async throws {
        try await withCheckedThrowingContinuation { continuation in
            enqueue(content, actor: actor, done: continuation)
        }
    }

    private func process(_ batch: [Input]) async {
        let now = clock()
        var accepted: [Input] = []
        var records: [NewRecord] = []
        for input in batch {
            do {
                if let refusal = refusal(of: input.content) { throw refusal }
                records.append(try record(of: input, at: now))
                accepted.append(input)
            } catch {
                input.done?.resume(throwing: error)
            }
        }
        guard !accepted.isEmpty else { return }
        do {
            let written = try await store.append(records, expecting: head)
            head = written.last?.sequence ?? head
            for (input, record) in zip(accepted, written) { apply(input, record.sequence) }
            for input in accepted { input.done?.resume() }
            await saveCheckpoints()
        } catch {
            logger.critical(
                "the journal cannot be written; nothing was decided",
                metadata: ["error": "\(error)"])
            for input in accepted { input.done?.resume(throwing: error) }
        }
    }

    private func record(of input: Input, at now: Timestamp) throws -> NewRecord {
        switch input.content {
        case .fleet(let event):
            NewRecord(
                at: now, actor: input.actor, stream: "fleet", kind: event.kind,
                payload: try WireJSON.encode(event))
        case .rollout(let id, let event):
            NewRecord(
                at: now, actor: input.actor, stream: id.rawValue, kind: event.kind,
                payload: try WireJSON.encode(event))
        }
    }

    private func refusal(of content: Input.Content) -> APIFailure? {
        guard case .rollout(let id, let event) = content else { return nil }
        if case .created(let definition, _, _, _) = event { return conflict(definition) }
        guard let running = rollouts[id] else {
            return APIFailure(code: "not_found", message: "there is no rollout \(id)")
        }
        if case .command(let command, _, _, _) = event,
            let reason = running.machine.refusal(of: command)
        {
            return APIFailure(code: "conflict", message: reason)
        }
        return nil
    }

    private func conflict(_ definition: RolloutDefinition) -> APIFailure? {
        let wanted = Set(definition.plan.hosts.map(\.id))
        for id in order {
            guard let holder = rollouts[id] else { continue }
            let shared = holder.machine.heldHosts.filter(wanted.contains).sorted()
            guard let first = shared.first else { continue }
            return APIFailure(
                code: "conflict",
                message: "rollout \(id) holds \(shared.count) of the plan's hosts (\(first)"
                    + (shared.count > 1 ? ", …)" : ")"),
                remedy: "wait for it (`belay rollout watch \(id)`), or end it "
                    + "(`belay rollout abort \(id)`)")
        }
        return nil
    }

    private func apply(_ input: Input, _ sequence: UInt64) {
        switch input.content {
        case .fleet(let event):
            registry.apply(event)
            if case .enrolled(let host, _, _, _) = event { reported[host] = 0 }
            if case .revoked(let host, let reason) = event {
                presence[host]?.session.close(
                    farewell: Farewell(reason: "revoked: \(reason)", retryAfter: nil))
            }
        case .rollout(let id, let event):
            if case .created = event {
                rollouts[id] = Running()
                order.append(id)
            }
            if case .reported(let host, let report, _) = event {
                note(report.sequence, of: host.rawValue)
            }
            let effects = rollouts[id]?.machine.handle(event) ?? []
            rollouts[id]?.lastSequence = sequence
            rollouts[id]?.sinceCheckpoint += 1
            for effect in effects { perform(effect, of: id) }
        }
    }

    private func saveCheckpoints() async {
        for (id, running) in rollouts
        where running.sinceCheckpoint >= CoordinatorLimits.checkpointEvery {
            let kept = KeptRollout(
                machine: running.machine, history: running.history,
                reported: Dictionary(
                    uniqueKeysWithValues: reported.map { ($0.key.rawValue, $0.value) }))
            rollouts[id]?.sinceCheckpoint = 0
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

    func nextSessionNumber() -> UInt64 {
        sessionCount += 1
        return sessionCount
    }
}
