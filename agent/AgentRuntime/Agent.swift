package import AgentCore
import FleetTransport
import FleetWire
package import Logging
import NIOCore
import NIOPosix

/// The agent: owns the host machine, makes its state durable, and carries its effects out.
package actor Agent {
    let state: StateDirectory
    let files: GuardFiles
    let guardProcess: GuardProcess
    let configuration: AgentConfiguration
    let logger: Logger
    let threads: NIOThreadPool
    private let lock: FileLock
    private let journal: AgentJournal
    private let clock = SteadyClock()
    private let work: AsyncStream<HostEffect>
    private let orderWork: AsyncStream<HostEffect>.Continuation
    private var cancellers: [UInt64: AsyncStream<Void>.Continuation] = [:]
    private(set) var machine: HostMachine
    /// Events that the journal did not take yet; nothing overtakes them.
    private var unwritten: [HostEvent] = []
    /// True once an order was refused because the journal did not take it.
    private var hasRefused = false
    var session: SessionOutbox?
    /// Raised by `reconnect`; a session that was dialled before does not count.
    var epoch = 0
    var identity: HostIdentity?
    var isWelcomed = false
    /// True once an order was refused because the journal could not be written.
    var hasRefusedForJournal = false
    var heartbeatEvery = Milliseconds.seconds(10)
    /// The newest request for a certificate on this session, and the key that it is for.
    var asked: (message: String, key: String)?
    /// What is known of the stored points' health.
    var health: PointHealth
    /// True once points were added or let go since retention was last applied.
    var isRetentionDue = true
    /// Requests on points that are being worked on.
    var pointRequests = 0
    /// Who hears how far the restore outside rollouts is, and those who wait for its end.
    var restoreUpdates = ControlUpdates()
    var restoreWaiters: [AsyncStream<Void>.Continuation] = []
    /// What the step that failed last said; evidence of the undo that follows.
    private(set) var lastFailure: String?
    /// The agent's own work so far, as metrics.
    private(set) var operations = OperationCounts()

    /// Opens the state and takes the host for this process. What needs no coordinator does without
    /// an enrolment, and without a state that was made before.
    /// Throws `AgentError` when another agent holds it, when files are open to others, or when the
    /// journal cannot be read.
    package init(
        state: StateDirectory, guardProcess: GuardProcess = .own, needsEnrolment: Bool = true,
        logger: Logger
    ) throws {
        if !needsEnrolment { try state.make() }
        try state.requirePrivate()
        let found = state.value(AgentConfiguration.self, in: "agent.json")
        guard let configuration = found ?? (needsEnrolment ? nil : .notEnrolled) else {
            throw AgentError(
                "\(state.file("agent.json")) is missing or malformed",
                remedy: "enrol this host with `belay-agent enroll`", exitCode: 13)
        }
        try state.make()
        // The guard looks at this lock for a moment now and then.
        guard let lock = try FileLock.take(state.file("agent.lock"), within: 1) else {
            let holder = FileLock.holder(state.file("agent.lock")).map { " (process \($0))" } ?? ""
            throw AgentError(
                "another agent\(holder) runs on \(state.path)",
                remedy: "stop it first, or use another --state", exitCode: 14)
        }
        self.state = state
        files = GuardFiles(state)
        self.guardProcess = guardProcess
        self.configuration = configuration
        self.logger = logger
        self.lock = lock
        journal = try AgentJournal(path: state.file("journal.sqlite"))
        try state.requirePrivate()
        machine = try journal.load()
        health = state.value(PointHealth.self, in: PointHealth.fileName) ?? PointHealth()
        threads = NIOThreadPool(numberOfThreads: 2)
        threads.start()
        (work, orderWork) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
    }

    // MARK: - Running

    /// Runs until it is cancelled: takes over what the guard did, then serves the coordinator.
    package func run() async throws {
        try await recover()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.carryOutWork() }
            group.addTask { await self.tickOn() }
            group.addTask { await self.keepPoints() }
            group.addTask { try await ControlSocket.serve(self) }
            group.addTask { try await self.runSessions() }
            defer { group.cancelAll() }
            try await group.next()
        }
        try? await threads.shutdownGracefully()
    }

    /// Carries `body` out with no coordinator, on the state that this process holds. If it changes
    /// something, what a killed agent left half done is carried on first; who only looks sees it as
    /// it stands.
    package func offline(
        changing: Bool, _ body: @Sendable @escaping (Agent) async throws -> Void
    ) async throws {
        try await recover()
        try await withThrowingTaskGroup(of: Void.self) { group in
            if changing { group.addTask { await self.carryOutWork() } }
            defer { group.cancelAll() }
            if changing { await self.waitForRestore() }
            try await body(self)
        }
        try? await threads.shutdownGracefully()
    }

    /// Waits for a guard that restores, then takes its outcome over.
    private func recover() async throws {
        let files = files
        let groups = ProcessGroups(state)
        let (outcome, ended) = try await threads.runIfActive {
            guard let restoring = try FileLock.take(files.restoreLock, within: 900) else {
                throw AgentError("the guard has been restoring this host for 15 minutes")
            }
            // What a dead agent left running would go on changing the host.
            return withExtendedLifetime(restoring) { (files.outcome, groups.end()) }
        }
        if !ended.isEmpty {
            logger.warning(
                "ended what the former agent left running", metadata: ["groups": "\(ended)"])
        }
        handle(.started(guard: outcome))
    }

    private func tickOn() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(500))
            retryUnwritten()
            seeGuard()
            if machine.isWaitingForTime { handle(.tick) }
            await keepGuarded()
        }
    }

    /// Starts the guard again when it is gone before its transaction was closed: killed, or lost
    /// with a reboot while the journal was lost too.
    private func keepGuarded() async {
        guard let armed = files.armed,
            machine.needsGuard(armed.order.plan.rollout, attempt: armed.order.attempt),
            files.outcome == nil, !files.isClosed(armed.order), !files.isWatching
        else { return }
        logger.warning("the guard is gone; another one is started")
        let (guardProcess, files) = (guardProcess, files)
        do {
            try await threads.runIfActive { try guardProcess.start(files) }
        } catch {
            logger.error("the guard cannot be started", metadata: ["reason": "\(error)"])
        }
    }

    /// Looks if the guard acted meanwhile: this process may have been stopped for a while.
    func seeGuard() {
        if let outcome = files.outcome { handle(.guardActed(outcome)) }
    }

    /// Keeps what a step that failed said.
    func note(_ outcome: StepOutcome, of step: StepSpec) {
        guard outcome.status != .done else { return }
        lastFailure =
            "\(step.name) \(outcome.status.rawValue): \(outcome.message)\n\(outcome.output)"
    }

    // MARK: - Durable before visible

    /// Gives an event to the machine: first its new state is durable, then its effects begin.
    package func handle(_ event: HostEvent) {
        if !unwritten.isEmpty {
            postpone(event, because: "earlier events wait for the journal")
            return
        }
        var next = machine
        let now = clock.now
        let effects = next.handle(event, at: now)
        guard next != machine || !effects.isEmpty else { return }
        do {
            try journal.record(event, at: now, after: next)
        } catch {
            postpone(event, because: "\(error)")
            return
        }
        machine = next
        if machine.readsOutcome(event) { files.forgetOutcome() }
        for effect in effects { begin(effect) }
        if machine.restore?.isOpen != true {
            for waiter in restoreWaiters { waiter.finish() }
            restoreWaiters = []
        }
    }

    /// Without the journal nothing moves: orders are refused, ends of work wait.
    private func postpone(_ event: HostEvent, because reason: String) {
        logger.error("the journal cannot be written", metadata: ["reason": "\(reason)"])
        switch event {
        case .order(_, _, let message):
            hasRefused = true
            session?.post(
                .refused,
                Refusal(
                    code: "journal_unwritable",
                    reason: "the agent's journal cannot be written: \(reason)",
                    remedy: "free space on the file system of \(state.path)"), re: message)
            // On the next connection the coordinator gives the order again.
            hasRefusedForJournal = true
            session?.finish()
        // Who asked for a restore sees that it did not begin.
        case .tick, .guardActed, .restore, .stopRestore: break
        case .started, .term, .connected, .disconnected, .acknowledged, .finished,
            .operatorRollback:
            if unwritten.count < 1000 { unwritten.append(event) }
        }
    }

    private func retryUnwritten() {
        let waiting = unwritten
        unwritten = []
        for event in waiting { handle(event) }
        askAgain()
    }

    /// The coordinator gives an order again only on a new session, so the refused ones need one as
    /// soon as the journal takes a record again.
    private func askAgain() {
        guard hasRefused, unwritten.isEmpty,
            (try? journal.record(.tick, at: clock.now, after: machine)) != nil
        else { return }
        hasRefused = false
        begin(.reconnect)
    }

    private func begin(_ effect: HostEffect) {
        switch effect {
        case .send(let report):
            if report.kind == .captured || report.kind == .committed { isRetentionDue = true }
            session?.post(.report, report)
        case .refuse(let message, let refusal):
            logger.warning("order refused", metadata: ["reason": "\(refusal.reason)"])
            session?.post(.refused, refusal, re: message)
        case .reconnect:
            epoch += 1
            session?.drop()
        case .cancel(let work): cancellers[work]?.finish()
        case .rearm(let order):
            do {
                try files.write(order, host: configuration.host)
            } catch {
                logger.error("the guard's order cannot be written", metadata: ["why": "\(error)"])
            }
            orderWork.yield(effect)
        case .fetch, .checkSpace, .capture, .arm, .disarm, .step, .pause, .checks, .evidence,
            .restore, .saveBefore, .restorePoint:
            orderWork.yield(effect)
        }
    }

    // MARK: - Work

    private func carryOutWork() async {
        await withTaskGroup(of: Void.self) { group in
            for await effect in work {
                let canceller = AsyncStream<Void>.makeStream()
                if let number = effect.workNumber { cancellers[number] = canceller.continuation }
                group.addTask { await self.carry(effect, until: canceller.stream) }
            }
            group.cancelAll()
        }
    }

    private func carry(_ effect: HostEffect, until cancelled: AsyncStream<Void>) async {
        let hands = HostHands(self)
        let begun = HostClock.sinceBoot()
        let result = await withTaskGroup(of: WorkResult?.self) { group in
            group.addTask { await hands.carry(effect) }
            group.addTask {
                for await _ in cancelled {}
                return nil
            }
            var result: WorkResult?
            // The work itself always ends and is always waited for; cancelling only hurries it.
            while let ended = await group.next() {
                group.cancelAll()
                if let ended { result = ended }
            }
            return result
        }
        guard let number = effect.workNumber else { return }
        cancellers[number] = nil
        operations.count(effect, result, took: HostClock.sinceBoot() - begun)
        // A stopped agent leaves the work's end unwritten: the next start treats it as cut off.
        if Task.isCancelled { return }
        handle(.finished(work: number, result ?? .problem("cancelled")))
    }
}

extension HostEffect {
    /// The number under which the end of this work is reported, or nil if nobody waits.
    var workNumber: UInt64? {
        switch self {
        case .fetch(let work, _), .checkSpace(let work, _), .capture(let work, _, _, _),
            .arm(let work, _), .disarm(let work, _, _), .step(let work, _, _, _),
            .pause(let work, _), .checks(let work, _, _), .evidence(let work, _, _),
            .restore(let work, _, _, _, _), .saveBefore(let work, _), .restorePoint(let work, _):
            work
        case .rearm, .cancel, .reconnect, .send, .refuse: nil
        }
    }
}
