import FleetWire
import RolloutPlan

/// What hosts report. A report that does not fit what the host was ordered to do is noted and
/// moves nothing.
extension RolloutMachine {
    mutating func hear(_ report: TransactionReport, of id: HostID) {
        guard let host = index[id.rawValue] else {
            note("a report of \(id), which is not in this rollout, was ignored", level: .warning)
            return
        }
        guard report.rollout == self.id, report.attempt == hosts[host].attempt else {
            note(
                "ignored `\(report.kind.rawValue)` of attempt \(report.attempt); "
                    + "the host is at attempt \(hosts[host].attempt)",
                level: .warning, host: host)
            return
        }
        arrive(host)
        if hosts[host].state == .unreachable, hosts[host].kept { move(host, to: .soaking) }
        switch report.kind {
        case .prepared, .validated, .verified, .confirmed, .committed, .released:
            hearDone(report, host)
        case .stepStarted, .stepFinished, .checksFinished, .captured, .guarded:
            hearProgress(report, host)
        case .failed: hearFailed(report, host)
        case .rollingBack: hearRollingBack(report, host)
        case .rolledBack: hearRolledBack(report, host)
        case .rollbackFailed: hearRollbackFailed(report, host)
        }
    }

    private mutating func hearDone(_ report: TransactionReport, _ host: Int) {
        switch (report.kind, hosts[host].open?.verb, hosts[host].state) {
        case (.prepared, .prepare, _):
            tell(report, host, "is prepared")
            validate(host)
        case (.validated, .validate, _):
            move(host, to: .ready)
            close(host)
            tell(report, host, "is ready: prepared and validated")
        case (.validated, .migrate, _): tell(report, host, "is still valid")
        case (.verified, .migrate, .migrating), (.verified, .migrate, .verifying):
            change(host) {
                $0.progress.changed = true
                $0.progress.stage = .verification
            }
            verify(host)
            tell(report, host, "is migrated and verified; it waits for confirmation")
            confirm(host)
        case (.confirmed, .confirm, _):
            change(host) { [now] in
                $0.kept = true
                $0.confirmedAt = now
            }
            move(host, to: .soaking)
            close(host)
            tell(report, host, "is confirmed and keeps its change")
            hearConfirmed(host)
        case (.committed, .commit, _):
            change(host) { $0.progress.stage = .finalization }
            move(host, to: .committed)
            close(host)
            tell(report, host, "is committed")
        case (.released, .release, _):
            close(host)
            tell(report, host, "let go; nothing was changed")
        case (.released, .rollback, _) where !hosts[host].progress.changed:
            finishUndo(host, full: true)
            tell(report, host, "had changed nothing, so there was nothing to take back")
        default: ignore(report, host)
        }
    }

    private mutating func hearProgress(_ report: TransactionReport, _ host: Int) {
        let stage = report.stage
        change(host) {
            if let stage { $0.progress.stage = stage }
            if let step = report.step {
                $0.progress.step = step.name
                $0.progress.phase = step.phase
            }
            // What is captured before a rollback, preparation or finalization is listed on the
            // host, but is not what a rollback of the rollout goes back to.
            if let point = report.point, $0.open?.verb != .rollback,
                (report.stage ?? .migration) == .migration
            {
                $0.progress.point = point.id
            }
            if report.kind == .stepFinished, report.step?.outcome?.status == .done {
                $0.progress.stepsDone += 1
            }
            if stage == .migration, report.kind == .stepStarted { $0.progress.changed = true }
        }
        crossIfIrreversible(report, host)
        if hosts[host].state == .migrating, stage == .verification || isLastMigration(report) {
            // The host verifies by itself and is silent until its checks are through.
            change(host) { $0.progress.stage = .verification }
            verify(host)
        }
        tell(report, host, progressText(report))
    }

    /// True if the report says that the last step of migration is done.
    private func isLastMigration(_ report: TransactionReport) -> Bool {
        guard report.kind == .stepFinished, report.stage == .migration,
            let step = report.step, step.outcome?.status == .done
        else { return false }
        return step.index + 1 == plan?.work.stages.first { $0.stage == .migration }?.steps.count
    }

    private func progressText(_ report: TransactionReport) -> String {
        let stage = report.stage.map { "\($0.rawValue): " } ?? ""
        let step =
            report.step.map { step in
                let name = (step.phase.map { "\($0)/" } ?? "") + step.name
                return step.attempt > 1 ? "\(name) (try \(step.attempt))" : name
            } ?? "a step"
        switch report.kind {
        case .stepStarted: return "\(stage)\(step) began"
        case .stepFinished:
            let outcome = report.step?.outcome
            return
                "\(stage)\(step) \(outcome?.status.rawValue.replacing("_", with: " ") ?? "ended"): "
                + (outcome.map { "\($0.message) (\($0.took.text))" } ?? "no outcome was told")
        case .checksFinished:
            let checks = report.checks ?? []
            let passed = checks.count { $0.status == .pass }
            return
                "\(stage)\(passed) of \(checks.count) \(checks.count == 1 ? "check" : "checks") passed"
        case .captured:
            return "the rollback point \(report.point?.id.rawValue ?? "(unnamed)") is durable "
                + "and verified"
        case .guarded: return "the guard is armed"
        case .prepared, .validated, .verified, .confirmed, .committed, .failed, .rollingBack,
            .rolledBack, .rollbackFailed, .released:
            return report.kind.rawValue
        }
    }

    private mutating func hearFailed(_ report: TransactionReport, _ host: Int) {
        let stage = report.stage.map { " in \($0.rawValue)" } ?? ""
        let why = "failed\(stage): \(report.failure ?? "it gave no reason")"
        tell(report, host, why, level: .error)
        switch hosts[host].open?.verb {
        case .prepare, .validate:
            close(host)
            lose(host, as: .failed, why)
        case .migrate, .confirm:
            if report.mutated == false {
                close(host)
                change(host) { $0.touched = false }
                lose(host, as: .failed, why)
            } else {
                change(host) { $0.progress.changed = true }
                // The host takes itself back; the order only stands in case it does not.
                if !holdsPastReturn(host) {
                    expectUndo(host, why: "it \(why)")
                }
                lose(host, as: .failed, why)
            }
        case .commit:
            close(host)
            lose(host, as: .failed, why)
        case .rollback:
            change(host) { $0.progress.failure = why }
            if report.mutated == false, !hosts[host].progress.changed {
                finishUndo(host, full: true)
            }
        case .release: close(host)
        case nil: note("the failure moves nothing in its present state", host: host)
        }
    }

    /// The host is under no order any more.
    mutating func close(_ host: Int) {
        change(host) {
            $0.open = nil
            $0.deadline = nil
            $0.refusal = nil
        }
    }

    mutating func ignore(_ report: TransactionReport, _ host: Int) {
        let order = hosts[host].open.map { "ordered to \($0.verb.rawValue)" } ?? "under no order"
        let state = hosts[host].state.label
        note(
            "ignored `\(report.kind.rawValue)`: the host is \(state) and "
                + order, level: .warning, host: host)
    }

    mutating func tell(
        _ report: TransactionReport, _ host: Int, _ text: String,
        level: HistoryEntry.Level = .info
    ) {
        note(text, level: level, actor: "host:\(hosts[host].id)", host: host) {
            $0.stage = report.stage
            $0.step = report.step
            $0.checks = report.checks
            $0.evidence = report.evidence
        }
    }
}
