import FleetWire
import RolloutPlan

/// How long no host was confirmed though some could have been.
struct ProgressClock: Codable, Hashable, Sendable {
    /// Counted before `since`.
    var counted = Milliseconds.zero
    /// Counts since then; nil while it stands still.
    var since: Timestamp?

    func total(at moment: Timestamp) -> Milliseconds {
        counted + (since.map { max(moment.since($0), .zero) } ?? .zero)
    }
}

/// Growth within a wave, and deadlines of the whole.
extension RolloutMachine {
    // MARK: - Growth

    /// How many hosts may go at once while this wave goes.
    func parallelMax(in number: Int) -> Int {
        min(limits.parallelMax, waves[number].atOnce ?? .max)
    }

    /// How many go at once after the present number got through in a row; nil if it does not grow.
    func grown(_ number: Int) -> Int? {
        guard let growth = plan?.waves[number].growth, let atOnce = waves[number].atOnce else {
            return nil
        }
        let (more, isOver) = atOnce.multipliedReportingOverflow(by: max(1, growth.factor))
        return min(isOver ? hosts.count : more, max(hosts.count, 1))
    }

    /// A host got through while a growing wave goes.
    private mutating func grow() {
        guard case .wave(let number) = progress, let atOnce = waves[number].atOnce,
            plan?.waves[number].growth != nil
        else { return }
        waves[number].inRow += 1
        guard waves[number].inRow >= atOnce else { return }
        waves[number].inRow = 0
        guard let next = grown(number), next > atOnce else { return }
        waves[number].atOnce = next
        note("\(atOnce) in a row got through; now \(next) go at once", wave: number)
    }

    /// A host went wrong: the wave that goes begins to grow anew.
    mutating func shrink() {
        guard state == .running || state == .paused, case .wave(let number) = progress,
            let growth = plan?.waves[number].growth
        else { return }
        waves[number].inRow = 0
        let from = max(1, growth.from)
        guard let atOnce = waves[number].atOnce, atOnce != from else { return }
        waves[number].atOnce = from
        note("a host went wrong: \(from) at a time again instead of \(atOnce)", wave: number)
    }

    // MARK: - One host's health

    var healthySpan: Milliseconds { plan?.pace.healthyDeadline ?? limits.migrationDeadline }

    /// A host's last step is done. It has to be confirmed soon.
    mutating func verify(_ host: Int) {
        if hosts[host].state == .migrating, plan?.pace.healthyDeadline != nil,
            let deadline = hosts[host].deadline
        {
            let due = now + healthySpan
            if due < deadline {
                change(host) {
                    $0.deadline = due
                    $0.isHealthTimed = true
                }
            }
        }
        move(host, to: .verifying)
    }

    /// A host keeps its change.
    mutating func hearConfirmed(_ host: Int) {
        progressClock = ProgressClock()
        if isRehearsing, rehearsal?.host == host { return }
        grow()
        if hosts[host].alone { commit(host) }
    }

    // MARK: - Progress of the whole

    /// When the rollout has to have moved.
    var progressMoment: Timestamp? {
        guard let limit = plan?.pace.progressDeadline, let since = progressClock.since else {
            return nil
        }
        return since + Milliseconds(limit.count - progressClock.counted.count)
    }

    /// True while hosts of the wave could go: not in pause, freeze, soak or gate, nor outside of a
    /// window.
    private var expectsProgress: Bool {
        guard state == .running, massLoss == nil, isOpen, case .wave(let number) = progress,
            waves[number].state == .migrating, !waves[number].needsPerson
        else { return false }
        return tally.waves[number].toGo > 0 || tally.waves[..<number].contains { $0.toGo > 0 }
    }

    /// Starts and stops the clock of progress, and reacts once it is over.
    mutating func watchProgress() {
        guard let limit = plan?.pace.progressDeadline else { return }
        guard expectsProgress else {
            // A window ended when it said, however late the machine hears of it.
            let end = calendar.reading?.changesAt.map { min($0, now) } ?? now
            progressClock = ProgressClock(counted: progressClock.total(at: end))
            return
        }
        if progressClock.since == nil {
            progressClock.since = now
            if let moment = progressMoment { wake(by: moment) }
        }
        guard case .wave(let number) = progress, progressClock.total(at: now) >= limit else {
            return
        }
        progressClock = ProgressClock()
        let toGo = tally.waves[...number].reduce(0) { $0 + $1.toGo }
        react(
            to: "no host of wave \(waveName(number)) was confirmed for \(limit.text), and "
                + "\(hostCount(toGo)) still \(toGo == 1 ? "has" : "have") to go")
    }

    /// What a ready host waits for if that is the growth of its wave.
    func growthWhy(_ number: Int) -> String? {
        guard let atOnce = waves[number].atOnce, tally.parallel >= atOnce,
            atOnce < limits.parallelMax
        else { return nil }
        return "a place: \(tally.parallel) of \(atOnce) hosts go at once until so many in a row "
            + "got through"
    }

    /// What the plan's deadline of progress adds to what happens next.
    var paceWhy: (next: String, at: Timestamp)? {
        progressMoment.map { ("a wave in which no host is confirmed until then fails", $0) }
    }
}
