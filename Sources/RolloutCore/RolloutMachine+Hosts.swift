import FleetWire
import RolloutPlan

/// What single hosts are ordered to do, forward.
extension RolloutMachine {
    /// Sends a pending host into preparation; one that is not connected is waited for.
    mutating func prepare(_ host: Int) {
        guard hosts[host].state == .pending, hosts[host].connected, massLoss == nil,
            state == .running || (state == .succeeded && hosts[host].alone)
        else { return }
        let why =
            hosts[host].alone
            ? "the rollout succeeded while it was away, so it goes alone"
            : "all hosts are prepared before the first wave"
        change(host) {
            $0.attempt += 1
            $0.progress.stage = .preparation
            $0.progress.stepsDone = 0
        }
        move(host, to: .preparing)
        order(host, GivenOrder(verb: .prepare, why: why), within: limits.stageDeadline)
    }

    mutating func validate(_ host: Int) {
        let deadline = hosts[host].deadline
        change(host) { $0.progress.stage = .validation }
        move(host, to: .validating)
        order(
            host, GivenOrder(verb: .validate, why: "preparation is done"),
            within: deadline.map { $0.since(now) } ?? limits.stageDeadline)
    }

    mutating func migrate(_ host: Int) {
        touchCount += 1
        change(host) { [now, touchCount] in
            $0.touched = true
            $0.everTouched = true
            $0.kept = false
            $0.touchOrder = touchCount
            $0.migrateAt = now
            $0.confirmedAt = nil
            $0.isHealthTimed = false
            $0.progress.stage = .validation
        }
        move(host, to: .migrating)
        let who = hosts[host].alone ? "it goes alone" : "wave \(waveName(hosts[host].wave)) goes"
        let why =
            "\(who); \(tally.unavailable) of at most "
            + "\(limits.unavailableMax) hosts are unavailable with it"
        order(host, GivenOrder(verb: .migrate, why: why), within: limits.migrationDeadline)
    }

    mutating func confirm(_ host: Int) {
        let deadline = hosts[host].deadline
        order(
            host, GivenOrder(verb: .confirm, why: "verified, and reached after its last step"),
            within: deadline.map { $0.since(now) } ?? limits.migrationDeadline)
    }

    mutating func commit(_ host: Int) {
        guard hosts[host].open == nil else {
            give(host)
            return
        }
        order(
            host, GivenOrder(verb: .commit, why: "all waves passed"), within: limits.stageDeadline)
    }

    /// Lets a host forget a transaction that changed nothing.
    mutating func release(_ host: Int, why: String) {
        guard hosts[host].attempt > 0, !hosts[host].touched, hosts[host].open?.verb != .release
        else { return }
        order(host, GivenOrder(verb: .release, why: why), within: limits.unreachableAfter)
    }

    /// True if one more host may become unavailable, in the fleet and in this host's domain.
    func hasRoom(for host: Int) -> Bool {
        tally.unavailable < limits.unavailableMax && hasRoom(.forward, hosts[host].domain)
    }
}
