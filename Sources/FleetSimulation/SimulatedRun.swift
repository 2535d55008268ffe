import AgentCore
import FleetWire
import RolloutCore
package import RolloutPlan

/// One rollout in a simulated world: the production machines of coordinator and hosts, with a
/// virtual clock, network, disks and guards around them.
///
/// One seed gives one run, byte for byte. After every event the promises are checked;
/// docs/reference/simulation.md says how, and where the world differs from the real one.
package struct SimulatedRun {
    /// What a run is made of.
    package struct Setup: Sendable {
        /// The plan held against the simulated fleet.
        package var plan: ResolvedPlan
        /// The plan as it was written, with its percentages; the world counts them out itself.
        package var declared: Plan?
        /// Which trouble there is.
        package var faults: Set<SimulatedFault>
        /// A fault in the machines that the run has to find.
        package var planted: PlantedFault?
        /// True if the lines of the run are kept.
        package var isRecorded: Bool
        /// How many lines are kept; those after them are counted.
        package var linesMax = SimulationLimits.traceMax
        /// True if it is noted when each host comes to which state, so that the run can be drawn.
        package var isDrawn = false
        /// True if two persons look each minute and approve what waits for them; else they act only
        /// once nothing else helps, or as `operator` has it.
        package var isAttended = false
        /// A run of this plan.
        package init(
            plan: ResolvedPlan, declared: Plan? = nil,
            faults: Set<SimulatedFault> = Set(SimulatedFault.allCases),
            planted: PlantedFault? = nil, isRecorded: Bool = false
        ) {
            self.plan = plan
            self.declared = declared
            self.faults = faults
            self.planted = planted
            self.isRecorded = isRecorded
        }

        /// A run of the random plan of `seed`.
        package static func random(
            seed: UInt64, faults: Set<SimulatedFault> = Set(SimulatedFault.allCases),
            planted: PlantedFault? = nil, isRecorded: Bool = false
        ) -> Setup {
            let (declared, resolved) = RandomPlan.make(seed: seed)
            return Setup(
                plan: resolved, declared: declared, faults: faults, planted: planted,
                isRecorded: isRecorded)
        }
    }

    /// The lines of a recorded run.
    final class Recorder {
        private(set) var lines: [String] = []
        private(set) var leftOut = 0
        private let linesMax: Int

        init(linesMax: Int) { self.linesMax = linesMax }

        /// Keeps one line. Called as `recorder?.note(now, …)`, so that a run which keeps none makes
        /// none; a method of the run that takes a closure would copy the run for it each time.
        func note(_ now: Int64, _ text: String) {
            guard lines.count < linesMax else {
                leftOut += 1
                return
            }
            let digits = String(now % 1000)
            let padding = String(repeating: "0", count: 3 - digits.count)
            lines.append("\(now / 1000).\(padding)\(digits) \(text)")
        }
    }

    static let rollout = RolloutID(unchecked: "simulated-1")
    /// The wall clock at the start.
    static let wall: Int64 = 1_700_000_000_000

    let setup: Setup
    let seed: UInt64
    let plan: ResolvedPlan
    /// What a host's disk holds once all steps ran.
    let newDisk: [Int]
    var random: SimulationRandom
    var queue = EventQueue<Occurrence>()
    var now: Int64 = 0
    var occurrences = 0
    var hosts: [SimulatedHost] = []
    var place: [HostID: Int] = [:]
    var connections: [Connection] = []
    var coordinator: SimulatedCoordinator
    /// True until the faults end.
    var isTroubled = true
    var ledger: Ledger
    let calendar: SimulatedCalendar
    var broken: [BrokenPromise] = []
    let recorder: Recorder?
    var timeline: RunTimeline?
    var restores: [Milliseconds] = []

    /// A run of `setup` by `seed`.
    package init(_ setup: Setup, seed: UInt64) {
        self.setup = setup
        self.seed = seed
        plan = setup.plan
        recorder = setup.isRecorded ? Recorder(linesMax: setup.linesMax) : nil
        timeline = setup.isDrawn ? RunTimeline(hosts: setup.plan.hosts.map(\.id)) : nil
        random = SimulationRandom(seed: seed)
        let components = setup.plan.work.components.count
        newDisk = Self.newDisk(setup.plan, components: max(1, components))
        coordinator = SimulatedCoordinator(hosts: setup.plan.hosts.count)
        ledger = Ledger(setup.plan, WorldLimits(setup.plan, setup.declared))
        calendar = SimulatedCalendar(seed: seed)
        for (number, host) in setup.plan.hosts.enumerated() {
            place[host.id] = number
            hosts.append(
                SimulatedHost(id: host.id, domain: host.domain, components: components))
        }
    }

    /// What the steps of migration and verification leave, step after step.
    private static func newDisk(_ plan: ResolvedPlan, components: Int) -> [Int] {
        var disk = Array(repeating: 0, count: components)
        let steps = plan.work.stages.filter { $0.stage == .migration || $0.stage == .verification }
            .reduce(0) { $0 + $1.steps.count }
        for step in 0..<steps { disk[step % components] = step + 1 }
        return disk
    }

    /// Runs to the end.
    package mutating func run() -> RunResult {
        begin()
        while broken.isEmpty, isTroubled { if !step(until: SimulationLimits.faultsEnd) { calm() } }
        if broken.isEmpty { end() }
        return RunResult(
            seed: seed, state: view?.state ?? .planned, reason: view?.reason ?? "it was never made",
            worstUnavailable: ledger.worst, unavailableMax: ledger.allowed.unavailable,
            isLimitLifted: ledger.isUnlimited, worstInDomain: ledger.worstInDomain,
            took: ledger.took, restores: restores, broken: broken, occurrences: occurrences,
            trace: recorder?.lines ?? [], linesLeftOut: recorder?.leftOut ?? 0, timeline: timeline)
    }

    private mutating func begin() {
        for host in hosts.indices { giveNature(host) }
        for host in hosts.indices {
            if has(.late), random.chance(100) {
                after(some(5000...400_000), .agentRestarts(host: host, life: 0))
            } else {
                bootAgent(host)
            }
        }
        after(2000, .makesRollout)
        if has(.operator), random.chance(80) {
            coordinator.hostsFreeAt = some(10_000...200_000)
            after(SimulationLimits.queuePoll, .looksAtQueue)
        }
        if !setup.faults.isEmpty { after(some(3000...20_000), .trouble) }
        if setup.isAttended { after(SimulationLimits.attention, .personsLook) }
    }

    /// Lets the next thing happen, if it happens before `end`; false if nothing does.
    mutating func step(until end: Int64) -> Bool {
        guard let next = queue.nextMoment, next <= end, let due = queue.take() else {
            now = max(now, end)
            return false
        }
        now = max(now, due.at)
        occurrences += 1
        guard occurrences <= SimulationLimits.occurrencesPerHost * (hosts.count + 1) else {
            breaks("liveness", "the run spins: \(occurrences) occurrences")
            return false
        }
        happen(due.content)
        return true
    }

    private mutating func happen(_ occurrence: Occurrence) {
        switch occurrence {
        case .dials(let host, let life): dial(host, life)
        case .arrivesAtCoordinator(let frame, let connection): arrive(frame, connection)
        case .arrivesAtAgent(let frame, let connection): reach(frame, connection)
        case .noticesEnd(let connection, let side): notice(connection, side)
        case .agentLeaves(let connection): leave(connection)
        case .cutEnds(let host): endCut(host)
        case .agentStarts(let host, let life): startAgent(host, life)
        case .agentRestarts(let host, let life): restartAgent(host, after: life)
        case .agentTicks(let host, let life): tickAgent(host, life)
        case .agentReadsOutcome(let host, let life): readOutcome(host, life)
        case .agentTriesJournal(let host, let life): retryJournal(host, life)
        case .workEnds(let host, let life, let work): endWork(host, life, work)
        case .lockIsFree(let host): passLock(host)
        case .guardStarts(let host, let boot): startGuard(host, boot)
        case .guardLooks(let host, let boot): lookGuard(host, boot)
        case .guardEnds(let host, let boot): endGuard(host, boot)
        case .spaceReturns(let host): hosts[host].isFull = false
        case .forgets(let host, let life, let sequence):
            if isAlive(host, life) { tell(host, .acknowledged(upTo: sequence)) }
        case .makesRollout: makeRollout()
        case .looksAtQueue: lookAtQueue()
        case .coordinatorStarts: startCoordinator()
        case .coordinatorWrites(let life): writeBatch(life)
        case .coordinatorWritten(let life): takeBatch(life)
        case .coordinatorWakes(let life): wakeCoordinator(life)
        case .coordinatorDiskHeals: coordinator.isFull = false
        case .gateAnswers(let life, let wave, let gate, let round, let asked, let checks):
            answerGate(life, wave, gate, round, asked, checks)
        case .probeAnswers(let life, let wave, let gate, let round):
            answerProbe(life, wave, gate, round)
        case .calendarAnswers(let life): readCalendar(life)
        case .comparisonEnds(let life, let host, let point): compare(life, host, point)
        case .trouble: makeTrouble()
        case .operatorActs: pressButton()
        case .personsLook: approveWhatWaits()
        case .staleOrder(let host, let order, let generation):
            if hosts[host].session != nil { deliver(order, generation, host, message: "stale") }
        case .audit(let host, let audit): check(host, audit)
        }
    }

    // MARK: - What all parts share

    var view: RolloutView? { coordinator.machine.view(now: coordinatorNow) }

    func has(_ fault: SimulatedFault) -> Bool { isTroubled && setup.faults.contains(fault) }

    mutating func after(_ span: Int64, _ occurrence: Occurrence) {
        queue.put(occurrence, at: now + max(0, span))
    }

    mutating func some(_ range: ClosedRange<Int>) -> Int64 { Int64(random.number(range)) }

    mutating func breaks(_ promise: String, _ text: String) {
        recorder?.note(now, "BROKEN promise \(promise): \(text)")
        broken.append(BrokenPromise(promise: promise, at: now, text: text))
    }
}
