import AgentCore
import FleetWire
import RolloutPlan

/// Carries out what a host's machine wants, as AgentRuntime's `HostHands` does.
extension SimulatedRun {
    mutating func begin(_ host: Int, _ effect: HostEffect) {
        switch effect {
        case .send(let report): send(report, from: host)
        case .refuse(let message, let refusal): refuse(host, message, refusal)
        case .reconnect:
            hosts[host].epoch += 1
            if let session = hosts[host].session { closeByAgent(session) }
        case .cancel(let work): cancel(host, work)
        case .rearm(let order): rearm(host, order)
        case .arm(let work, _): enlist(host, work, effect, .work(work))
        case .disarm(let work, _, _): enlist(host, work, effect, .work(work))
        case .restore(let work, _, _, _, _): enlist(host, work, effect, .work(work))
        case .step(let work, let step, let stage, let plan):
            beginStep(host, step, stage, plan)
            enlist(host, work, effect, nil, lasting: 50, upTo: 4000)
        case .fetch(let work, _): enlist(host, work, effect, nil, lasting: 50, upTo: 3000)
        case .checkSpace(let work, _): enlist(host, work, effect, nil, lasting: 5, upTo: 30)
        case .capture(let work, _, _, _): enlist(host, work, effect, nil, lasting: 50, upTo: 3000)
        case .saveBefore(let work, _), .restorePoint(let work, _):
            enlist(host, work, effect, nil, lasting: 50, upTo: 3000)
        case .checks(let work, _, _): enlist(host, work, effect, nil, lasting: 20, upTo: 2000)
        case .evidence(let work, _, _): enlist(host, work, effect, nil, lasting: 20, upTo: 1000)
        case .pause(let work, let span):
            enlist(host, work, effect, nil, lasting: Int(span.count), upTo: Int(span.count) + 1)
        }
    }

    private mutating func enlist(
        _ host: Int, _ work: UInt64, _ effect: HostEffect, _ locker: SimulatedHost.Locker?,
        lasting least: Int = 0, upTo most: Int = 0
    ) {
        let span = some(least...max(least, most)) * Int64(hosts[host].factor)
        hosts[host].works[work] = SimulatedHost.Work(
            effect: effect, endsAt: now + span, willFail: willFail(host, effect))
        if let locker {
            lock(host, locker)
        } else {
            after(span, .workEnds(host: host, life: hosts[host].life, work: work))
        }
    }

    private mutating func willFail(_ host: Int, _ effect: HostEffect) -> Bool {
        guard has(.failure) else { return false }
        switch effect {
        case .step: return random.chance(hosts[host].stepFailures)
        case .restore: return random.chance(hosts[host].restoreFailures)
        case .fetch, .checkSpace, .capture, .checks:
            return random.chance(hosts[host].stepFailures / 8)
        case .arm, .disarm: return random.chance(2)
        default: return false
        }
    }

    /// Work that cannot be hurried goes on to its end.
    private mutating func cancel(_ host: Int, _ work: UInt64) {
        guard let found = hosts[host].works[work] else { return }
        switch found.effect {
        case .step, .pause, .checks, .fetch, .evidence: break
        default: return
        }
        hosts[host].works[work]?.isCancelled = true
        let soon = some(1...5000)
        guard now + soon < found.endsAt else { return }
        hosts[host].works[work]?.endsAt = now + soon
        after(soon, .workEnds(host: host, life: hosts[host].life, work: work))
    }

    mutating func endWork(_ host: Int, _ life: Int, _ work: UInt64) {
        guard isAlive(host, life), let done = hosts[host].works[work], done.endsAt <= now else {
            return
        }
        hosts[host].works[work] = nil
        let result = result(host, done)
        if hosts[host].lockedBy == .work(work) { unlock(host) }
        tell(host, .finished(work: work, result))
    }

    private mutating func result(_ host: Int, _ work: SimulatedHost.Work) -> WorkResult {
        switch work.effect {
        case .fetch:
            return work.willFail || work.isCancelled ? .problem("the artifact is not there") : .done
        case .checkSpace:
            return work.willFail || hosts[host].isFull ? .problem("the disk is full") : .done
        case .capture(_, let components, let reason, let rollout):
            return work.willFail || hosts[host].isFull
                ? .problem("the disk is full") : capture(host, components, reason, rollout)
        case .arm(_, let order): return arm(host, order, work)
        case .disarm(_, let rollout, let attempt): return disarm(host, rollout, attempt, work)
        case .step(_, let step, let stage, let plan): return endStep(host, step, stage, plan, work)
        case .checks(_, let checks, _): return .checks(examine(host, checks, work))
        case .evidence: return .evidence(["reason": "simulated"])
        case .restore(_, let point, let names, let rollout, let attempt):
            return restore(host, point, names, rollout, attempt, work)
        case .pause, .rearm, .cancel, .reconnect, .send, .refuse: return .done
        // Nobody in a simulated world restores outside a rollout.
        case .saveBefore, .restorePoint: return .problem("not simulated")
        }
    }

    // MARK: - Points

    private mutating func capture(
        _ host: Int, _ components: [ComponentSpec], _ reason: String, _ rollout: RolloutID
    ) -> WorkResult {
        hosts[host].pointCount += 1
        let id = PointID(unchecked: "p\(hosts[host].pointCount)-\(hosts[host].id)")
        hosts[host].points[id] = hosts[host].disk
        return .point(
            PointSummary(
                id: id, at: hostNow(host), reason: reason, rollout: rollout, components: [],
                digest: plan.planDigest))
    }

    private mutating func restore(
        _ host: Int, _ point: PointID, _ names: [ComponentName]?, _ rollout: RolloutID,
        _ attempt: Int, _ work: SimulatedHost.Work
    ) -> WorkResult {
        if let outcome = outcome(host, rollout, attempt) { return .guardActed(outcome) }
        let took = Milliseconds(now - hosts[host].restoreBegan)
        guard !work.willFail, let captured = hosts[host].points[point] else {
            return .notRestored("the disk cannot be written", took: took)
        }
        for (number, version) in captured.enumerated() where covers(names, number) {
            hosts[host].disk[number] = version
        }
        hosts[host].closed = SimulatedHost.Closed(rollout: rollout, attempt: attempt)
        if names == nil { noteReturned(host) }
        weigh(host)
        restores.append(took)
        recorder?.note(now, "\(hosts[host].id) is restored by its agent")
        return .restored(took: took)
    }

    func covers(_ names: [ComponentName]?, _ component: Int) -> Bool {
        guard let names else { return true }
        guard plan.work.components.indices.contains(component) else { return true }
        return names.contains(plan.work.components[component].name)
    }

    // MARK: - Steps and checks

    /// Which component a step changes, and to which version; nil if it changes none.
    private func change(_ step: StepSpec, _ stage: Stage, _ plan: HostPlan) -> (Int, Int)? {
        guard stage == .migration || stage == .verification else { return nil }
        let before = stage == .verification ? plan.stage(.migration).steps.count : 0
        guard let index = plan.stage(stage).steps.firstIndex(of: step) else { return nil }
        return ((before + index) % newDisk.count, before + index + 1)
    }

    private mutating func beginStep(
        _ host: Int, _ step: StepSpec, _ stage: Stage, _ plan: HostPlan
    ) {
        noteRun(host, step, stage, plan)
        noteCrossed(host, step, stage)
        guard let (component, _) = change(step, stage, plan) else { return }
        hosts[host].disk[component] = -1
        weigh(host)
    }

    private mutating func endStep(
        _ host: Int, _ step: StepSpec, _ stage: Stage, _ plan: HostPlan, _ work: SimulatedHost.Work
    ) -> WorkResult {
        let isDone = !work.willFail && !work.isCancelled
        if isDone, let (component, version) = change(step, stage, plan) {
            hosts[host].disk[component] = version
            weigh(host)
        }
        recorder?.note(now, "\(hosts[host].id) step \(step.name) \(isDone ? "is done" : "failed")")
        return .step(
            StepOutcome(
                status: isDone ? .done : .failed, message: isDone ? "done" : "exit status 1",
                output: "", took: Milliseconds(1000)))
    }

    /// Health as the world knows it: all of one version, and not a version that does not run. Where
    /// the plan looks at nothing, nobody can know that a version does not run.
    func isHealthy(_ host: Int) -> Bool {
        let isBroken = hosts[host].isBroken && isLookedAt
        return hosts[host].isOld || (hosts[host].disk == newDisk && !isBroken)
    }

    private var isLookedAt: Bool {
        plan.work.stages.contains {
            $0.stage == .verification && $0.checks.contains { $0.level == .critical }
        }
    }

    mutating func examine(
        _ host: Int, _ checks: [CheckSpec], _ work: SimulatedHost.Work
    ) -> [CheckResult] {
        var passed = true
        let results = checks.map { check in
            let status: CheckStatus =
                work.isCancelled ? .unknown : work.willFail || !isHealthy(host) ? .fail : .pass
            if status != .pass, check.level == .critical { passed = false }
            return CheckResult(
                name: check.name, kind: check.kind.name, level: check.level, status: status,
                measured: "simulated", remedy: nil, took: Milliseconds(10))
        }
        hosts[host].lastChecksPassed = passed
        return results
    }
}
