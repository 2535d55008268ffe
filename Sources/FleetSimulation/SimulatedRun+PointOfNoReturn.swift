import FleetWire
import RolloutCore
import RolloutPlan

/// The promise that nothing crosses a point of no return unasked, by the world's own books.
extension SimulatedRun {
    /// Notes that a step begins which cannot be taken back, whatever the host's machine thinks.
    mutating func noteCrossed(_ host: Int, _ step: StepSpec, _ stage: Stage) {
        let steps = plan.work.stages.first { $0.stage == stage }?.steps ?? []
        guard steps.contains(where: { $0.name == step.name && $0.irreversible }) else { return }
        recorder?.note(now, "\(hosts[host].id) is past the point of no return")
        hosts[host].crossed = hosts[host].crossed ?? step.name
    }

    /// Notes whom a person asked to take back all the same.
    mutating func noteAsked(_ selection: RollbackSelection) {
        guard selection.acrossPointOfNoReturn else { return }
        for host in hosts.indices {
            let isMeant =
                switch selection.hosts {
                case .all: true
                case .named(let ids): ids.contains(hosts[host].id)
                case .wave(let name):
                    plan.waves.contains { $0.name == name && $0.hosts.contains(hosts[host].id) }
                }
            if isMeant { hosts[host].mayReturn = true }
        }
    }

    /// All of the host is as it was before the step.
    mutating func noteReturned(_ host: Int) {
        hosts[host].crossed = nil
        hosts[host].mayReturn = false
    }

    /// A restore begins.
    mutating func checkReturn(_ host: Int, by actor: String) {
        guard let step = hosts[host].crossed, !hosts[host].mayReturn else { return }
        breaks(
            "no return",
            "\(hosts[host].id) is taken back by its \(actor) across step \(step), and nobody "
                + "asked for it")
    }

    /// The rollback that takes back what is past it; none where the plan has no such step.
    func returns(_ hosts: RollbackSelection.Hosts) -> [OperatorCommand] {
        plan.irreversibleSteps.isEmpty
            ? [] : [.rollback(RollbackSelection(hosts: hosts, acrossPointOfNoReturn: true))]
    }

    /// The order as an agent hears it that does not know which steps cannot be taken back.
    func forgetful(_ order: TransactionOrder) -> TransactionOrder {
        guard setup.planted == .returnForgotten, var plan = order.plan else { return order }
        for stage in plan.stages.indices {
            for step in plan.stages[stage].steps.indices {
                plan.stages[stage].steps[step].irreversible = false
            }
        }
        var order = order
        order.plan = plan
        return order
    }
}
