import FleetWire
import RolloutPlan

/// Backward: the newest host first, within the same limits as forward.
extension RolloutMachine {
    /// Takes every changed host back.
    mutating func beginRollback(_ why: String) {
        let touched = hosts.indices.filter { hosts[$0].touched }
        let left = touched.filter { hosts[$0].pastReturn != nil }
        start(
            RollbackPass(
                targets: touched.filter { hosts[$0].pastReturn == nil }, scope: .full, point: nil,
                fast: false, isFull: left.isEmpty, returnTo: .paused, reason: why, left: left))
    }

    /// Begins a rollback.
    mutating func start(_ pass: RollbackPass) {
        if isFinished {
            // Sessions of a finished rollout are not told; deadlines find who is not there.
            for host in pass.targets {
                change(host) {
                    $0.connected = true
                    $0.lostAt = nil
                }
            }
        }
        become(.rollingBack, pass.reason)
        if pass.isFull { letGo(pass.reason) }
        for host in pass.targets {
            change(host) { $0.undo = true }
            if hosts[host].open?.verb == .rollback { adopt(host) }
        }
        self.pass = pass
        retime()
    }

    /// Hosts that nothing was changed on forget the rollout.
    private mutating func letGo(_ why: String) {
        for host in hosts.indices where !hosts[host].touched {
            switch hosts[host].state {
            case .preparing, .validating, .ready:
                move(host, to: .pending)
                release(host, why: why)
            case .failed, .timedOut: if hosts[host].open == nil { release(host, why: why) }
            case .pending, .migrating, .verifying, .soaking, .committed, .unreachable,
                .rollingBack, .rolledBack, .rollbackFailed, .skipped, .late:
                break
            }
        }
    }

    mutating func goBack() {
        guard let pass else { return }
        if pass.fast {
            for host in all(.backDown) + all(.backAway) + all(.back) { goBack(host, pass) }
        } else {
            while let host = next(.backDown) { goBack(host, pass) }
            while mayGoBack, tally.unavailable <= limits.unavailableMax,
                let host = next(.backAway)
            {
                goBack(host, pass)
            }
            while mayGoBack, tally.unavailable < limits.unavailableMax, let host = next(.back) {
                goBack(host, pass)
            }
        }
        if tally.undo == 0, let pass = self.pass { end(pass) }
    }

    private var mayGoBack: Bool { massLoss == nil && tally.rolling < limits.parallelMax }

    private mutating func goBack(_ host: Int, _ pass: RollbackPass) {
        if !pass.across, hosts[host].pastReturn != nil {
            change(host) { $0.undo = false }
            self.pass?.left.append(host)
            return
        }
        orderRollback(host, scope: pass.scope, point: pass.point, why: pass.reason)
    }

    /// A host that is on its way back already; now it is also waited for no longer than others.
    private mutating func adopt(_ host: Int) {
        guard hosts[host].deadline == nil else { return }
        change(host) { [now, limits] in $0.deadline = now + limits.migrationDeadline }
        give(host)
    }

    mutating func orderRollback(
        _ host: Int, scope: RollbackScope, point: PointID?, why: String
    ) {
        move(host, to: .rollingBack)
        let across: Bool? = pass?.across == true ? true : nil
        order(
            host,
            GivenOrder(verb: .rollback, scope: scope, point: point, across: across, why: why),
            within: limits.migrationDeadline)
    }

    /// One host goes back while the rollout goes on; its state says why.
    mutating func undoAlone(_ host: Int, why: String) {
        if holdsPastReturn(host) { return }
        order(
            host, GivenOrder(verb: .rollback, scope: .full, why: why),
            within: limits.migrationDeadline)
    }

    /// The host takes itself back. The order is kept but not given: a reconnect gives it.
    mutating func expectUndo(_ host: Int, why: String) {
        change(host) { [now, limits] in
            $0.open = GivenOrder(verb: .rollback, scope: .full, unasked: true, why: why)
            $0.deadline = now + limits.migrationDeadline
        }
    }

    // MARK: - Reports

    mutating func hearRollingBack(_ report: TransactionReport, _ host: Int) {
        let why = report.failure ?? "it gave no reason"
        switch hosts[host].open?.verb {
        case .rollback:
            tell(report, host, "is going back to its old state", level: .warning)
            move(host, to: .rollingBack)
        case .prepare, .validate, .migrate, .confirm, .commit, .release, nil:
            guard hosts[host].touched else { return ignore(report, host) }
            tell(report, host, "takes itself back: \(why)", level: .warning)
            expectUndo(host, why: why)
            move(host, to: .rollingBack, failure: why)
            spend(host, "takes itself back: \(why)")
        }
    }

    mutating func hearRolledBack(_ report: TransactionReport, _ host: Int) {
        guard hosts[host].touched else { return ignore(report, host) }
        let ordered = hosts[host].open?.verb == .rollback
        let scope = report.scope ?? (ordered ? hosts[host].open?.scope : nil) ?? .full
        let actor =
            switch report.by {
            case .agent, nil: "its agent"
            case .guard: "its guard"
            case .operatorOnHost: "an operator on the host"
            }
        change(host) { $0.progress.restoreTook = report.took }
        let took = report.took.map { " in \($0.text)" } ?? ""
        tell(report, host, "was rolled back (\(scope)) by \(actor)\(took)", level: .warning)
        if scope != .full, let parts = plan?.work.components.filter(scope.covers) {
            change(host) { $0.partsBack += parts.map(\.name) }
        }
        finishUndo(host, full: scope == .full)
        hearBackInRehearsal(host, took: report.took)
        if !ordered {
            lose(host, as: .rolledBack, "was rolled back by \(actor) without an order")
        }
    }

    /// A host is back: fully, or the part that was asked for.
    mutating func finishUndo(_ host: Int, full: Bool) {
        close(host)
        change(host) {
            $0.undo = false
            if full {
                $0.touched = false
                $0.kept = false
                $0.progress.changed = false
                $0.pastReturn = nil
                $0.partsBack = []
            }
        }
        guard !full, hosts[host].kept else { return move(host, to: .rolledBack) }
        // The rest of its change stays, and can be taken back later.
        let isCommitted = hosts[host].progress.stage == .finalization
        move(host, to: isCommitted ? .committed : .soaking)
    }

    mutating func hearRollbackFailed(_ report: TransactionReport, _ host: Int) {
        guard hosts[host].touched else { return ignore(report, host) }
        let why = report.failure ?? "it gave no reason"
        tell(report, host, "could not be rolled back: \(why)", level: .error)
        close(host)
        change(host) {
            $0.undo = false
            $0.progress.restoreTook = report.took
        }
        lose(host, as: .rollbackFailed, "could not be rolled back: \(why)")
    }

    /// No word in time. The order stays, so that the host is taken back whenever it returns.
    mutating func giveUpRollback(_ host: Int) {
        let why =
            "did not say that it is back within \(limits.migrationDeadline.text)"
            + (hosts[host].connected ? "" : "; it is not connected")
        change(host) { $0.undo = false }
        note(why, level: .error, host: host)
        lose(host, as: .rollbackFailed, why)
    }

    // MARK: - End

    private mutating func end(_ pass: RollbackPass) {
        self.pass = nil
        let left = pass.left.filter { hosts[$0].pastReturn != nil }
        let failed = pass.targets.filter { hosts[$0].state == .rollbackFailed }
        if !failed.isEmpty {
            become(
                .rollbackFailed,
                "\(hostCount(failed.count)) could not be taken back (\(names(failed))): "
                    + (hosts[failed[0]].progress.failure ?? pass.reason))
        } else if !left.isEmpty {
            let back = pass.targets.filter { !left.contains($0) }
            become(
                pass.returnTo,
                "\(listed(left)) \(pastReturnText(left)) and "
                    + (left.count == 1 ? "keeps its change; " : "keep their changes; ")
                    + (back.isEmpty
                        ? "no other host was changed"
                        : "all others that were changed, \(listed(back)), are back in their old state")
                    + ": \(pass.reason)")
        } else if pass.isFull {
            // Hosts that took themselves back before the pass began count too.
            let back = hosts.count { $0.state == .rolledBack }
            become(
                .rolledBack,
                "\(back) of \(hostCount(hosts.count)) "
                    + (back == 1
                        ? "was changed and is back in its old state: "
                        : "were changed and are back in their old state: ") + pass.reason)
        } else {
            become(
                pass.returnTo,
                "\(pass.scope) of \(hostCount(pass.targets.count)) (\(names(pass.targets))) was rolled "
                    + "back: \(pass.reason)")
        }
    }

    /// Hosts that were given up may have returned and gone back since.
    mutating func settleRollback() {
        guard tally.rollbackFailed == 0, tally.touched == 0 else { return }
        become(.rolledBack, "the hosts that were missing are back in their old state")
    }
}
