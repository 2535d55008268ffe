package import FleetWire
import RolloutChecklist
import RolloutPlan

/// One rollout: events in, effects out. No I/O, no clock, no randomness.
///
/// The caller's duties: make an event durable before it is handed in; let effects go in their
/// order; give `ticked` at or soon after every `wake`; ask `refusal(of:)` before a command.
package struct RolloutMachine: Codable, Hashable, Sendable {
    /// What it began with; nil before `created`.
    package var definition: RolloutDefinition?
    var id: RolloutID?
    var by = ""
    /// Where it stands.
    package internal(set) var state = RolloutState.planned
    var reason = "the rollout was not made yet"
    var since = Timestamp(milliseconds: 0)
    /// When it was made.
    package internal(set) var createdAt = Timestamp(milliseconds: 0)
    var endedAt: Timestamp?
    /// The latest moment that any event told; never goes back, whatever the wall clock does.
    var now = Timestamp(milliseconds: 0)
    var hosts: [HostRecord] = []
    var index: [String: Int] = [:]
    var domains: [String] = []
    var waves: [WaveRecord] = []
    var progress = RolloutProgress.preparing
    var crossing = CrossingRecord()
    var tally = RolloutTally(waves: 0, domains: 0)
    /// Hosts that count against the budget, in the order in which they went wrong.
    var spent: [Int] = []
    /// Which budget is spent, with its arithmetic; nil while none is.
    var exhausted: String?
    var pass: RollbackPass?
    var massLoss: MassLoss?
    var losses = RecentLosses()
    /// Who waits for a place, by `HostLine.Kind`.
    var lines: [HostLine] = []
    var alarms = MinHeap<Alarm>()
    var calendar = CalendarRecord()
    var progressClock = ProgressClock()
    /// The rehearsal, from its first order on.
    var rehearsal: Rehearsal?
    /// The plan's checklist; nil if it has none.
    var checklist: Checklist?
    /// Since when the first wave waits for it.
    var checklistAskedAt: Timestamp?
    var touchCount = 0
    /// No deadline is earlier than this; nil if there is none.
    var wakeAt: Timestamp?
    /// True if the caller has to hear `wakeAt`; false again before an event's effects are given.
    var wakeIsNew = false
    /// Effects of the event that is being taken; empty between two events, so it is not kept.
    var effects: [RolloutEffect] = []

    private enum CodingKeys: String, CodingKey {
        case definition, id, by, state, reason, since, createdAt, endedAt, now, hosts, index
        case domains, waves, progress, tally, spent, exhausted, pass, massLoss, losses, touchCount
        case lines, alarms, calendar, progressClock, rehearsal, wakeAt, crossing
        case checklist, checklistAskedAt
    }

    /// Where each host stands, in the order of the waves.
    package var hostStates: [HostState] { hosts.map(\.state) }

    /// A machine before its first event.
    package init() {}

    /// Takes the next event and gives what is to be done, in order.
    package mutating func handle(_ event: RolloutEvent) -> [RolloutEffect] {
        effects = []
        if case .created(let definition, let id, let by, let at) = event {
            if self.definition == nil { create(definition, id: id, by: by, at: at) }
        } else if definition != nil {
            take(event)
        } else {
            return []
        }
        advance()
        tellWake()
        let given = effects
        effects = []
        return given
    }

    private mutating func take(_ event: RolloutEvent) {
        switch event {
        case .created: break
        case .command(let command, let by, let reason, let at):
            clock(at)
            obey(command, by: by, reason: reason)
        case .reported(let host, let report, let at):
            clock(at)
            hear(report, of: host)
        case .refused(let host, let verb, let attempt, let refusal, let at):
            clock(at)
            hearRefusal(refusal, of: host, verb, attempt: attempt)
        case .gateChecked(let wave, let gate, let round, let results, let at):
            clock(at)
            judge(wave: wave, gate: gate, round: round, results: results)
        case .gateProbed(let wave, let gate, let round, let finding, let at):
            clock(at)
            judge(wave: wave, gate: gate, round: round, finding: finding)
        case .calendarRead(let reading, let at):
            clock(at)
            hear(reading)
        case .admitted(let connected, let at):
            clock(at)
            admit(connected)
        case .replaced(let host, let at):
            clock(at)
            replace(host)
        case .compared(let host, let comparison, let at):
            clock(at)
            hear(comparison, of: host)
        case .connected(let host, let transaction, let at):
            clock(at)
            join(host, transaction)
        case .disconnected(let host, let at):
            clock(at)
            leave(host)
        case .recovered(let generation, let at):
            clock(at)
            recover(generation)
        case .ticked(let at):
            clock(at)
            tick(at)
        }
    }

    private mutating func create(
        _ definition: RolloutDefinition, id: RolloutID, by: String, at: Timestamp
    ) {
        self.definition = definition
        self.id = id
        self.by = by
        now = at
        createdAt = at
        since = at
        let plan = definition.plan
        checklist = plan.checklist.flatMap(Checklist.init)
        enlist(definition, at)
        note(
            "\(by) made the rollout of \(plan.name): \(hostCount(hosts.count)) in "
                + (waves.count == 1 ? "1 wave" : "\(waves.count) waves")
                + (definition.reason.map { ": \($0)" } ?? ""),
            actor: "operator:\(by)")
        if let overridden = definition.overridden, !overridden.isEmpty {
            note(
                "\(by) let through what is in quarantine: "
                    + overridden.map(\.short).joined(separator: ", "), level: .warning,
                actor: "operator:\(by)")
        }
        if definition.isQueued { queue() } else { open() }
    }

    /// Begins, or waits for whoever has to allow it.
    mutating func open() {
        if plan?.needsApproval == true {
            become(.awaitingApproval, "the plan asks for approval before the first host is touched")
        } else {
            begin()
        }
    }

    /// Takes the plan's hosts in, in the order of waves.
    private mutating func enlist(_ definition: RolloutDefinition, _ at: Timestamp) {
        let plan = definition.plan
        let places = Dictionary(
            plan.hosts.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
        domains = Array(Set(plan.hosts.map(\.domain))).sorted()
        let domainOf = Dictionary(
            domains.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        tally = RolloutTally(waves: plan.waves.count, domains: domains.count)
        lines = HostLine.Kind.allCases.map { _ in HostLine(domains: domains.count) }
        let connected = Set(definition.connected)
        for (number, wave) in plan.waves.enumerated() {
            for id in wave.hosts {
                // A resolved plan has each host once; one that it does not describe cannot go.
                guard let place = places[id], index[id.rawValue] == nil else { continue }
                let record = HostRecord(
                    id: id, wave: number, domain: domainOf[plan.hosts[place].domain] ?? 0,
                    place: place, connected: connected.contains(id), at: at)
                index[id.rawValue] = hosts.count
                hosts.append(record)
                tally.count(record, by: 1)
            }
        }
        waves = plan.waves.map { wave in
            WaveRecord(
                hosts: wave.hosts.compactMap { index[$0.rawValue] }, since: at,
                verdicts: Array(repeating: nil, count: wave.gates.count),
                details: Array(repeating: "not asked yet", count: wave.gates.count),
                atOnce: wave.growth.map { max(1, $0.from) })
        }
    }

    /// Sends all hosts into preparation.
    mutating func begin() {
        become(.running, "all hosts are prepared and validated before anything changes")
        if plan?.pace.rehearses == true, !rehearses {
            note("there is no rehearsal: a step is irreversible", level: .warning)
        }
        askCalendar()
        for host in hosts.indices where !hosts[host].connected { beLate(host) }
        for host in hosts.indices { prepare(host) }
    }

    private mutating func advance() {
        var before: RolloutState
        repeat {
            before = state
            switch state {
            case .running: goForward()
            case .rollingBack: goBack()
            case .rollbackFailed: settleRollback()
            case .succeeded: goAlone()
            case .planned, .awaitingApproval, .paused, .rolledBack, .aborted: break
            }
            watchProgress()
        } while state != before
    }

    /// True in succeeded, rolledBack, rollbackFailed and aborted once no host is under way; a
    /// rollout that lets late hosts converge still waits for them after it succeeded.
    package var isFinished: Bool {
        switch state {
        case .succeeded: tally.open == 0 && !awaitsLate
        case .rolledBack, .rollbackFailed, .aborted: tally.open == 0
        case .planned, .awaitingApproval, .running, .paused, .rollingBack: false
        }
    }

    /// All hosts of its plan, whatever became of them; none before `created`.
    package var planHosts: [HostID] { definition?.plan.hosts.map(\.id) ?? [] }

    /// Hosts that no other rollout may touch now.
    package var heldHosts: [HostID] {
        switch state {
        case .planned: []
        case .awaitingApproval, .running, .paused, .rollingBack:
            hosts.filter { $0.state != .skipped || $0.open != nil }.map(\.id)
        case .succeeded, .rolledBack, .rollbackFailed, .aborted:
            tally.open + tally.alone == 0
                ? []
                : hosts.filter { $0.open != nil || (awaitsLate && $0.alone && $0.isUnsettled) }
                    .map(\.id)
        }
    }
}
