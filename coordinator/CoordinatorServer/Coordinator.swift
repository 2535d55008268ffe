package import FleetWire
package import Logging
import OperatorAPI
import RolloutCore
import RolloutPlan
package import StateStore

/// Owns all machines and the journal. One loop takes what came in, makes it durable as one batch,
/// hands it to the machines and lets their effects go: durable before visible.
///
/// When the journal cannot be written, nothing is decided: whoever waits is told, what nobody waits
/// for is kept and tried again each second. Another writer on the same journal ends the process.
package actor Coordinator {
    /// Something to decide on, and who waits until it is durable.
    struct Input: Sendable {
        enum Content: Sendable {
            case fleet(FleetEvent)
            case rollout(RolloutID, RolloutEvent)
        }
        var content: Content
        let actor: String
        let done: CheckedContinuation<UInt64, any Error>?
    }

    /// One rollout in memory. Its history is read from the journal when somebody asks.
    struct Running: Sendable {
        var machine = RolloutMachine()
        var wakeAt: Timestamp?
        var lastSequence: UInt64 = 0
        /// The last record that the newest checkpoint includes.
        var checkpointSequence: UInt64 = 0
        var sinceCheckpoint = 0
        /// The newest report of each host that stands in this rollout's stream.
        var reports: [HostID: ReportCount] = [:]
        /// How far its history was told; a follower goes on from there.
        var history: HistoryCursor?

        /// Hands the next event of its stream to the machine.
        mutating func take(_ event: RolloutEvent, _ sequence: UInt64) -> [RolloutEffect] {
            if case .reported(let host, let report, _) = event {
                reports[host] = ReportCount(number: report.sequence, at: sequence)
            }
            lastSequence = sequence
            return machine.handle(event)
        }
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
    /// Issues certificates; nil only where nothing enrols.
    let authority: CertificateAuthority?
    /// Lifetime of the certificates that hosts get.
    let hostCertificate: Milliseconds
    let logger: Logger
    let clock: @Sendable () -> Timestamp
    nonisolated let directory = FleetDirectory()
    let startedAt: Timestamp
    /// Rollouts that are under way, and the newest of those that ended.
    var rollouts: [RolloutID: Running] = [:]
    /// Rollouts that ended a while ago; their machines are in their checkpoints.
    var ended: [RolloutID: EndedRollout] = [:]
    /// All rollouts, oldest first.
    var order: [RolloutID] = []
    var presence: [HostID: Presence] = [:]
    /// Hosts that were seen since the start and are not connected.
    var lastSeen: [HostID: Timestamp] = [:]
    var reports: [HostID: ReportCount] = [:]
    /// The journal's sequence number of each host's newest enrolment; reports before it do not count.
    var enrolledAt: [HostID: UInt64] = [:]
    /// The journal's sequence number at which an operator raised the generation; 0 if never.
    var raisedAt: UInt64 = 0
    /// Hosts that have followed a coordinator with a higher generation than this one's.
    var ahead: [HostID: Ahead] = [:]
    /// Restores that hosts reported since the start.
    var rollbacks: [RollbackKind: Int] = [:]
    /// The troubles of hosts that are in the journal or on their way into it.
    var noticed: [HostID: Set<TroubleKey>] = [:]
    /// Hosts whose identity came twice at the same time, and when it did last.
    var rivals: [HostID: Timestamp] = [:]
    /// What metric gates of open rollouts look at.
    var windows = MetricWindows()
    var troubleAllowance: [HostID: Allowance] = [:]
    var reportAllowance: [HostID: Allowance] = [:]
    /// Hosts whose reports are more than their allowance at present.
    var overReporting: Set<HostID> = []
    /// Orders about points whose callers went away: no further host is asked for them.
    var deserted: Set<String> = []
    /// Digests that an operator took out of quarantine.
    var lifted: Set<Digest> = []
    var generation = Generation(rawValue: 0)
    var head: UInt64 = 0
    var fleetMark = FleetMark()
    /// The first record at which the journal's chain was found broken since the start.
    var journalBreak: AuditReport.Break?
    /// Why the journal cannot be written; nil while it can.
    var journalFailure: String?
    var watchers: [UInt64: Waiter] = [:]
    var watcherCount: UInt64 = 0
    private(set) var pending: [Input] = []
    private(set) var hasStopped = false
    private let signal: AsyncStream<Void>.Continuation
    private let signals: AsyncStream<Void>
    let work: AsyncStream<GateWork>.Continuation
    let works: AsyncStream<GateWork>
    let comparing: AsyncStream<Comparison>.Continuation
    let comparisons: AsyncStream<Comparison>
    let pointWork: AsyncStream<PointWork>.Continuation
    private let pointWorks: AsyncStream<PointWork>
    private var sessionCount: UInt64 = 0

    var registry: FleetRegistry { directory.snapshot }

    /// A coordinator over `store`; `clock` gives the wall-clock time.
    package init(
        store: any StateStore, authority: CertificateAuthority?,
        hostCertificate: Milliseconds = CoordinatorLimits.hostCertificate, logger: Logger,
        clock: @escaping @Sendable () -> Timestamp
    ) {
        self.store = store
        self.authority = authority
        self.hostCertificate = hostCertificate
        self.logger = logger
        self.clock = clock
        startedAt = clock()
        (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        (works, work) = AsyncStream.makeStream()
        (comparisons, comparing) = AsyncStream.makeStream()
        (pointWorks, pointWork) = AsyncStream.makeStream()
    }

    // MARK: - The loop

    /// Decides until `stop` or cancellation. Throws when another process writes the journal, or
    /// when too much waits for a journal that cannot be written.
    package func run() async throws {
        defer { abandon() }
        recallRivals()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.decide() }
            group.addTask { await self.tick() }
            group.addTask { await self.evaluateGates() }
            group.addTask { await self.compareHosts() }
            group.addTask { await self.carryOutPointOrders() }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// Ends `run` once what waits now is durable.
    package nonisolated func stop() { signal.finish() }

    private func decide() async throws {
        async let _: Void = checkChain()
        signal.yield()
        for await _ in signals { try await drain() }
        try await drain()
        await saveAllCheckpoints()
    }

    private func drain() async throws {
        while !pending.isEmpty, !Task.isCancelled { try await process(nextBatch()) }
    }

    /// An input that can be refused begins a batch, so that it is judged by all that came before.
    private func nextBatch() -> [Input] {
        var count = 1
        while count < min(pending.count, CoordinatorLimits.batchMax),
            !Self.canBeRefused(pending[count].content)
        { count += 1 }
        defer { pending.removeFirst(count) }
        return Array(pending.prefix(count))
    }

    private func abandon() {
        hasStopped = true
        work.finish()
        comparing.finish()
        pointWork.finish()
        let rest = pending
        pending = []
        for input in rest { input.done?.resume(throwing: Self.stopping) }
        wakeWatchers()
    }

    private static let stopping = APIFailure(
        code: "unavailable", message: "the coordinator is stopping", remedy: "try again")

    private func tick() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: CoordinatorLimits.tickEvery.duration)
            let now = clock()
            for (id, running) in rollouts {
                guard let due = running.wakeAt, due <= now else { continue }
                rollouts[id]?.wakeAt = nil
                enqueue(.rollout(id, .ticked(at: now)), actor: "coordinator", done: nil)
            }
            retuneWindows()
            admitQueued(now)
            endRivalries(now)
            dropSilentSessions(now)
        }
    }

    private func dropSilentSessions(_ now: Timestamp) {
        for present in presence.values
        where now.since(present.lastSeen) > CoordinatorLimits.silenceMax {
            logger.warning("host is silent", metadata: ["host": "\(present.session.host)"])
            present.session.close()
        }
    }

    private func carryOutPointOrders() async {
        await withDiscardingTaskGroup { group in
            for await item in pointWorks {
                group.addTask { await self.carryOut(item) }
            }
        }
    }

    func enqueue(
        _ content: Input.Content, actor: String, done: CheckedContinuation<UInt64, any Error>?
    ) {
        guard !hasStopped else {
            done?.resume(throwing: Self.stopping)
            return
        }
        pending.append(Input(content: content, actor: actor, done: done))
        signal.yield()
    }

    /// Returns the journal's sequence number once the event is durable and the machines have seen
    /// it; throws when it was refused or the store failed.
    @discardableResult
    func submit(_ content: Input.Content, actor: String) async throws -> UInt64 {
        try await withCheckedThrowingContinuation { continuation in
            enqueue(content, actor: actor, done: continuation)
        }
    }

    private func process(_ batch: [Input]) async throws {
        await reviveAll(of: batch)
        let now = clock()
        var accepted: [Input] = []
        var records: [NewRecord] = []
        var seen: [HostID: UInt64] = [:]
        for input in batch {
            do {
                if let failure = refusal(of: input.content) { throw failure }
                if isRepeated(input.content, &seen) {
                    input.done?.resume(returning: head)
                    continue
                }
                let whole = completed(input)
                for part in [whole] + consequences(of: whole) {
                    records.append(try record(of: part, at: now))
                    accepted.append(part)
                }
            } catch {
                input.done?.resume(throwing: error)
            }
        }
        guard !accepted.isEmpty else { return }
        do {
            let written = try await store.append(records, expecting: head)
            take(written, accepted)
        } catch {
            return try await keepTrying(accepted, error)
        }
        await saveCheckpoints()
    }

    private func take(_ written: [JournalRecord], _ accepted: [Input]) {
        if journalFailure != nil { logger.notice("the journal can be written again") }
        journalFailure = nil
        head = written.last?.sequence ?? head
        for (input, record) in zip(accepted, written) { apply(input, record.sequence) }
        for (input, record) in zip(accepted, written) {
            input.done?.resume(returning: record.sequence)
        }
        wakeWatchers()
    }

    private func keepTrying(_ accepted: [Input], _ error: any Error) async throws {
        let failure = APIFailure(
            code: "unavailable",
            message: "the journal cannot be written, so nothing was decided: \(error)",
            remedy: "look at the free space and the disk of the coordinator's state directory")
        logger.critical("\(failure.message)")
        journalFailure = failure.message
        for input in accepted { input.done?.resume(throwing: failure) }
        if case .conflict = error as? StoreError { throw error }
        pending.insert(contentsOf: accepted.filter { $0.done == nil }, at: 0)
        guard pending.count <= CoordinatorLimits.pendingMax else { throw failure }
        try await Task.sleep(for: CoordinatorLimits.journalRetry.duration)
    }

    /// The events with which a rollout begins say who is connected at this very moment, and for
    /// whom it has to wait.
    private func completed(_ input: Input) -> Input {
        var input = input
        switch input.content {
        case .rollout(let id, .created(var definition, _, let by, let at)):
            let hosts = definition.plan.hosts.map(\.id)
            definition.connected = hosts.filter { presence[$0] != nil }
            if definition.isQueued {
                definition.isQueued = conflict(Set(hosts), besides: nil) != nil
                definition.waitsFor = ahead(of: Set(hosts), before: nil)
            }
            input.content = .rollout(id, .created(definition, id: id, by: by, at: at))
        case .rollout(let id, .admitted(_, let at)):
            let hosts = rollouts[id]?.machine.planHosts ?? []
            input.content = .rollout(
                id, .admitted(connected: hosts.filter { presence[$0] != nil }, at: at))
        case .fleet, .rollout: break
        }
        return input
    }

    /// What becomes durable in one commit with an input.
    private func consequences(of input: Input) -> [Input] {
        switch input.content {
        case .fleet(.enrolled(let host, _, _, let token, let key)):
            guard registry.isReplaced(host: host, token: token, key: key) else { return [] }
            // Rollouts hear that a host is another one.
            let concerned = order.filter { rollouts[$0].map { concerns($0, host) } ?? false }
            return concerned.map {
                Input(
                    content: .rollout($0, .replaced(host, at: clock())), actor: input.actor,
                    done: nil)
            }
        case .rollout(let id, .created(let definition, _, let by, _)):
            guard !definition.isQueued else { return [] }
            return leftOut(of: id, Set(definition.plan.hosts.map(\.id)), by: by, input.actor)
        case .rollout(let id, .admitted):
            guard let machine = rollouts[id]?.machine, let by = machine.view(now: clock())?.by
            else { return [] }
            return leftOut(of: id, Set(machine.planHosts), by: by, input.actor)
        case .fleet, .rollout: return []
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

    func nextSessionNumber() -> UInt64 {
        sessionCount += 1
        return sessionCount
    }
}
