import FleetWire
package import RolloutChecklist
import RolloutPlan

/// The plan's checklist: its critical items hold up the first wave.
extension RolloutMachine {
    /// Why a change of the checklist is not taken now; nil if it is.
    package func refusal(of change: ChecklistChange, reason why: String?) -> ChecklistRefusal? {
        guard let checklist else {
            return ChecklistRefusal(
                kind: .unknownItem, message: "the plan of this rollout has no checklist")
        }
        switch state {
        case .planned, .awaitingApproval, .running, .paused, .rollingBack:
            return checklist.refusal(of: change, reason: why)
        case .succeeded, .rolledBack, .rollbackFailed, .aborted:
            return ChecklistRefusal(
                kind: .conflict,
                message: "the rollout \(state.sentence), and its checklist is closed with it")
        }
    }

    /// Takes a change that `refusal` let through.
    mutating func check(_ change: ChecklistChange, by: String, reason why: String?) {
        guard checklist?.take(change, by: by, reason: why, at: now) == nil,
            let checklist, let place = checklist.place(of: change.item)
        else { return }
        let record = checklist.records[place]
        let words = why.map { ": \($0)" } ?? ""
        let what =
            switch change.action {
            case .start where record.attempt > 1: "began attempt \(record.attempt) of"
            case .start: "began"
            case .done: "completed"
            case .fail: "failed"
            case .skip: "skipped"
            }
        note(
            "\(by) \(what) checklist item \(change.item)\(words)",
            level: change.action == .fail ? .error : change.action == .skip ? .warning : .info,
            actor: "operator:\(by)")
        if isHeldByChecklist { reason = checklistText }
    }

    /// True if the first wave may begin as far as the checklist goes.
    mutating func isChecked() -> Bool {
        // A list that the plan has and that does not hold together is no list that was done.
        guard let checklist else { return plan?.checklist == nil }
        guard !checklist.openCritical.isEmpty else {
            if checklistAskedAt != nil {
                checklistAskedAt = nil
                note("every critical item of the checklist is completed or skipped")
            }
            return true
        }
        if checklistAskedAt == nil {
            checklistAskedAt = now
            reason = checklistText
            note(reason)
        }
        return false
    }

    /// True while all hosts are ready and nothing but the checklist holds the first wave up.
    var isHeldByChecklist: Bool {
        state == .running && progress == .preparing && tally.unprepared == 0
            && checklist?.openCritical.isEmpty == false
    }

    /// What the first wave waits for besides its hosts; nothing if the checklist holds nothing up.
    var andChecklist: String {
        let open = checklist?.openCritical.count ?? 0
        return open == 0
            ? "" : " and \(criticalItems(open)) of the checklist \(open == 1 ? "is" : "are") done"
    }

    /// What holds the first wave up, with the way out.
    var checklistWhy: (waitsFor: String, next: String, since: Timestamp)? {
        guard isHeldByChecklist, let checklistAskedAt else { return nil }
        return (
            "All hosts are ready; \(checklistText)",
            "wave \(waves.isEmpty ? "" : waveName(0)) begins once they are completed or skipped: "
                + "`belay checklist show \(id?.rawValue ?? "")`", checklistAskedAt
        )
    }

    private func criticalItems(_ count: Int) -> String {
        count == 1 ? "1 critical item" : "\(count) critical items"
    }

    private var checklistText: String {
        guard let checklist else { return "" }
        let open = checklist.openCritical
        let texts = open.prefix(5).map { place in
            let name = checklist.items[place].id
            let record = checklist.records[place]
            switch record.state {
            case .failed:
                return "\(name) failed" + (record.reason.map { ": \($0)" } ?? "")
            case .inProgress:
                return "\(name) is in progress" + (record.by.map { " (\($0))" } ?? "")
            case .pending, .completed, .skipped, .blocked:
                return checklist.waitsFor(place).map {
                    "\(name) \($0.hasPrefix("blocked") ? "is " : "")\($0)"
                } ?? "\(name) was not begun"
            }
        }
        return "the checklist holds \(criticalItems(open.count)) open: "
            + texts.joined(separator: "; ") + (open.count > 5 ? "; …" : "")
    }

    /// The checklist for operators; nil without one.
    func checklistView(now: Timestamp) -> ChecklistView? {
        checklist.map { ChecklistView($0, now: endedAt ?? now) }
    }

    /// What a person who does all that can be done would say of each item now, for simulations.
    package var openChecklistChanges: [ChecklistChange] {
        guard let checklist else { return [] }
        return checklist.workable.map { place in
            ChecklistChange(
                item: checklist.items[place].id,
                action: checklist.records[place].state == .inProgress ? .done : .start,
                revision: checklist.records[place].revision)
        }.filter { refusal(of: $0, reason: nil) == nil }
    }
}
