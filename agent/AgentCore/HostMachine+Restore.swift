package import FleetWire

/// Restores that belong to no rollout. One is under way at a time, and none beside an open
/// transaction: what a transaction changed is taken back by its own rollback.
extension HostMachine {
    /// Why a restore cannot begin now, or nil.
    package var obstacleToRestore: Refusal? {
        if let open {
            return Refusal(
                code: "busy",
                reason: "rollout \(open.plan.rollout) holds this host: it is \(open.phase.name)",
                remedy: "let it end, or take it back with `belay rollback` or "
                    + "`belay-agent rollback`")
        }
        if let restore, restore.isOpen {
            return Refusal(
                code: "busy", reason: "point \(restore.point) is being restored",
                remedy: "wait for its end")
        }
        return nil
    }

    /// Why an order cannot begin beside what restores did to this host, or nil.
    func obstacleToOrder(_ verb: OrderVerb) -> Refusal? {
        if let restore, restore.isOpen, verb != .release {
            return Refusal(
                code: "busy", reason: "point \(restore.point) is being restored on this host",
                remedy: "wait for its end")
        }
        switch verb {
        case .prepare, .validate, .migrate:
            guard let half = halfRestored.first else { return nil }
            return Refusal(
                code: "busy",
                reason: "component \(half.component.name) is half restored to point "
                    + "\(half.point): \(half.reason)",
                remedy: "restore that point again, or another one that holds it")
        case .confirm, .commit, .rollback, .release: return nil
        }
    }

    mutating func begin(_ wanted: HostRestore, _ turn: inout Turn) {
        guard obstacleToRestore == nil else { return }
        var begun = wanted
        begun.number = works + 1
        begun.phase = wanted.noCapture ? .restoring : .saving
        carry(begun, &turn)
    }

    /// Orders the work of the restore's phase.
    private mutating func carry(_ next: HostRestore, _ turn: inout Turn) {
        works += 1
        var next = next
        next.pending = works
        restore = next
        switch next.phase {
        case .saving: turn.effects.append(.saveBefore(work: works, next))
        case .restoring: turn.effects.append(.restorePoint(work: works, next))
        case .pausing: turn.effects.append(.pause(work: works, AgentCoreLimits.restorePause))
        case .done, .refused, .failed: break
        }
    }

    /// The agent was stopped or killed at any instant of it. A capture changed nothing, so the
    /// restore is given up; one that wrote is carried on to its end, as it is idempotent.
    mutating func resumeRestore(_ turn: inout Turn) {
        guard var open = restore, open.isOpen else { return }
        switch open.phase {
        case .saving:
            open.phase = .refused("the agent stopped before anything was changed")
            open.pending = nil
            restore = open
        case .restoring, .pausing:
            open.phase = .restoring
            open.mayHaveChanged = true
            open.isStopped = false
            carry(open, &turn)
        case .done, .refused, .failed: break
        }
    }

    /// Ends the restore that is under way at the next safe place.
    mutating func stopRestore(_ turn: inout Turn) {
        guard let open = restore, open.isOpen, let work = open.pending else { return }
        restore?.isStopped = true
        turn.effects.append(.cancel(work: work))
    }

    /// True if `work` was the restore's.
    mutating func finishRestoreWork(
        _ work: UInt64, _ result: WorkResult, _ turn: inout Turn
    ) -> Bool {
        guard var open = restore, open.isOpen, open.pending == work else { return false }
        open.pending = nil
        restore = open
        switch (open.phase, result) {
        case (.saving, .point(let summary)):
            open.before = summary.id
            open.phase = .restoring
            if open.isStopped {
                end(open, .refused("it was stopped before anything was changed"))
            } else {
                carry(open, &turn)
            }
        case (.saving, .problem(let reason)):
            end(
                open,
                .refused(
                    open.isStopped
                        ? "it was stopped before anything was changed"
                        : "the state before it cannot be captured: \(reason); "
                            + "--no-capture restores without keeping it"))
        case (.pausing, _):
            open.phase = .restoring
            if open.isStopped {
                fail(open, "it was stopped", &turn)
            } else {
                carry(open, &turn)
            }
        case (.restoring, .restoredPoint(let changed, let removed, let took)):
            cover(open.restored)
            end(open, .done(changed: changed, removed: removed, took: took))
        case (.restoring, .problem(let reason)) where !open.mayHaveChanged:
            end(open, .refused(reason))
        case (.restoring, .problem(let reason)), (.restoring, .notRestored(let reason, _)):
            open.mayHaveChanged = true
            open.tries += 1
            if open.isStopped || open.tries >= AgentCoreLimits.restoreTriesMax {
                fail(open, reason, &turn)
            } else {
                open.phase = .pausing
                carry(open, &turn)
            }
        case (.saving, _), (.restoring, _), (.done, _), (.refused, _), (.failed, _):
            fail(open, "the work ended with a result of another kind", &turn)
        }
        return true
    }

    private mutating func end(_ ended: HostRestore, _ phase: HostRestore.Phase) {
        restore = ended
        restore?.phase = phase
    }

    private mutating func fail(_ ended: HostRestore, _ reason: String, _ turn: inout Turn) {
        let reason = reason.cut(toJSONBytes: AgentCoreLimits.failureBytesMax)
        end(ended, .failed(reason))
        cover(ended.restored)
        halfRestored += ended.restored.map {
            HalfRestored(
                component: $0, point: ended.point, before: ended.before, reason: reason,
                since: turn.now)
        }
    }

    /// These components are as some point holds them: whatever was half restored of them no longer
    /// is.
    mutating func cover(_ components: [ComponentSpec]) {
        halfRestored.removeAll { half in
            components.contains {
                $0.name == half.component.name && $0.driver == half.component.driver
            }
        }
    }
}
