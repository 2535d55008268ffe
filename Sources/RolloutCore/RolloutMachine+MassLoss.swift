import FleetWire
import RolloutPlan

/// Many hosts that vanish at once are the network's or the coordinator's trouble, not theirs.
extension RolloutMachine {
    func isMass(_ lost: Int, of connected: Int) -> Bool {
        guard let absence = plan?.absence else { return false }
        return lost >= absence.massLossHostsMin
            && lost * 100 > connected * absence.massLossPercent
    }

    mutating func noticeMassLoss(_ host: Int) {
        switch state {
        case .running, .paused, .rollingBack: break
        case .planned, .awaitingApproval, .succeeded, .rolledBack, .rollbackFailed, .aborted: return
        }
        guard massLoss == nil else {
            hosts[host].vanished = true
            massLoss?.missing += 1
            return
        }
        forgetLoss(host)
        hosts[host].recentLossAt = now
        losses.count += 1
        losses.list.append(RecentLosses.Loss(host: host, at: now))
        let oldest = now + Milliseconds(-RolloutLimit.massLossWithin.count)
        while let loss = losses.takeFirst(before: oldest) {
            // Not of a later loss, and whatever became of the host since.
            if hosts[loss.host].recentLossAt == loss.at { forgetLoss(loss.host) }
        }
        if isMass(losses.count, of: tally.connected + losses.count) { freeze(recentlyLost) }
    }

    /// The host is there again, or its loss is long ago.
    mutating func forgetLoss(_ host: Int) {
        guard hosts[host].recentLossAt != nil else { return }
        hosts[host].recentLossAt = nil
        losses.count -= 1
    }

    mutating func forgetLosses() {
        for loss in losses.list { hosts[loss.host].recentLossAt = nil }
        losses = RecentLosses()
    }

    /// The hosts lost lately, each once, in the order in which they left.
    private var recentlyLost: [Int] {
        var seen: Set<Int> = []
        return losses.list[losses.from...].map(\.host).filter {
            hosts[$0].recentLossAt != nil && seen.insert($0).inserted
        }
    }

    mutating func freeze(_ lost: [Int]) {
        let text =
            "\(lost.count) of \(tally.connected + lost.count) connected hosts vanished at once "
            + "(\(names(lost))): that is the network or the coordinator, so nothing is counted and "
            + "nothing starts until they return or an operator resumes"
        massLoss = MassLoss(since: now, missing: lost.count, text: text)
        forgetLosses()
        for host in lost { hosts[host].vanished = true }
        note(text, level: .warning)
    }

    /// Ends the freeze once so many returned that the rest is no mass.
    mutating func thaw(_ host: Int) {
        guard let frozen = massLoss else { return }
        let missing = frozen.missing - (hosts[host].vanished ? 1 : 0)
        hosts[host].vanished = false
        massLoss?.missing = missing
        if !isMass(missing, of: tally.connected + missing) { unfreeze("enough hosts returned") }
    }

    mutating func endMassLoss() {
        guard massLoss != nil else { return }
        massLoss = nil
        for host in hosts.indices { hosts[host].vanished = false }
    }

    mutating func unfreeze(_ why: String) {
        guard let frozen = massLoss else { return }
        endMassLoss()
        let pause = now.since(frozen.since)
        for host in hosts.indices {
            change(host) { [now] in
                if !$0.connected { $0.lostAt = now }
                $0.deadline = $0.deadline.map { $0 + pause }
            }
        }
        if let deadline = rehearsal?.deadline { rehearsal?.deadline = deadline + pause }
        note("the mass loss is over: \(why)")
        if state == .running {
            for host in hosts.indices where hosts[host].state == .pending { prepare(host) }
        }
        retime()
    }
}
