import FleetWire
import RolloutPlan
import RolloutCore

/// Trouble: what kills, cuts, fills and slows the world, and who presses buttons.
extension SimulatedRun {
    /// Each host is a little different, for the whole run.
    mutating func giveNature(_ host: Int) {
        if has(.slow), random.chance(120) {
            hosts[host].factor = random.number(2...SimulationLimits.slowFactor)
        }
        if has(.flap), random.chance(80) { hosts[host].isFlapping = true }
        if has(.clock) { hosts[host].clockOffset = some(-20_000...20_000) }
        guard has(.failure) else { return }
        if random.chance(50) { hosts[host].isBroken = true }
        if random.chance(250) { hosts[host].stepFailures = random.number(20...400) }
        if random.chance(40) { hosts[host].restoreFailures = random.number(100...900) }
    }

    mutating func makeTrouble() {
        guard isTroubled else { return }
        if !coordinator.machine.isFinished || coordinator.journal.isEmpty {
            let pause = 60_000 / Int64(hosts.count + 4)
            after(some(500...Int(2 * pause + 600)), .trouble)
        }
        flap()
        let kinds = SimulatedFault.allCases.filter { setup.faults.contains($0) }
        guard let kind = random.pick(kinds) else { return }
        let host = random.number(0...(hosts.count - 1))
        switch kind {
        case .crash:
            if random.chance(250) {
                crashCoordinator()
            } else if random.chance(600) {
                killAgent(host, reboot: random.chance(250))
            }
        case .partition: partition(host)
        case .loss: breakConnection(host)
        case .disk: fill(host)
        case .clock: setClock(host)
        case .operator: pressButton()
        case .replace:
            if random.chance(150), coordinator.isUp, coordinator.machine.definition != nil {
                recorder?.note(now, "\(hosts[host].id) is set up anew")
                enqueue(.replaced(hosts[host].id, at: coordinatorNow))
            }
        case .slow, .failure, .flap, .late: break
        }
    }

    /// Another machine has the host's name: nothing of the old one is left but the name.
    mutating func becomeNew(_ host: Int) {
        recorder?.note(now, "\(hosts[host].id) is another machine now")
        let old = hosts[host]
        if let number = old.served { connections[number].isAgentOpen = false }
        if let number = coordinator.presence[host] {
            coordinator.presence[host] = nil
            connections[number].isCoordinatorOpen = false
            connections[number].unread = []
        }
        hosts[host] = SimulatedHost(
            id: old.id, domain: old.domain, components: plan.work.components.count)
        hosts[host].life = old.life + 1
        hosts[host].boot = old.boot + 1
        hosts[host].epoch = old.epoch + 1
        hosts[host].pointCount = old.pointCount
        hosts[host].factor = old.factor
        hosts[host].isBroken = old.isBroken
        hosts[host].clockOffset = old.clockOffset
        hosts[host].isDown = old.isDown
        hosts[host].cut = old.cut
        weigh(host)
        after(some(500...60_000), .agentRestarts(host: host, life: hosts[host].life))
    }

    private mutating func flap() {
        for host in hosts.indices where hosts[host].isFlapping && random.chance(300) {
            breakConnection(host)
        }
    }

    private mutating func partition(_ first: Int) {
        let count = random.chance(150) ? random.number(1...hosts.count) : 1
        let direction = random.number(0...3)
        let span = random.chance(500) ? some(100...14_000) : some(16_000...200_000)
        for step in 0..<count {
            cut(
                (first + step) % hosts.count, up: direction != 1, down: direction != 2,
                span: span)
        }
    }

    private mutating func fill(_ host: Int) {
        if random.chance(300) {
            guard !coordinator.isFull else { return }
            coordinator.isFull = true
            recorder?.note(now, "the coordinator's disk is full")
            after(some(500...20_000), .coordinatorDiskHeals)
        } else if !hosts[host].isFull {
            hosts[host].isFull = true
            recorder?.note(now, "\(hosts[host].id) disk is full")
            after(some(500...60_000), .spaceReturns(host: host))
        }
    }

    private mutating func setClock(_ host: Int) {
        let by = some(-90_000...90_000)
        if random.chance(300) {
            coordinator.offset += by
            recorder?.note(now, "the coordinator's clock is set by \(by) ms")
            coordinator.looksAt = nil
            if coordinator.isUp { planWake() }
        } else {
            hosts[host].clockOffset += by
            recorder?.note(now, "\(hosts[host].id) clock is set by \(by) ms")
        }
    }

    // MARK: - The operators

    static let persons = ["ada", "bo"]

    mutating func pressButton() {
        guard coordinator.isUp, coordinator.machine.definition != nil else { return }
        let host = hosts[random.number(0...(hosts.count - 1))].id
        let all: [OperatorCommand] =
            [
                .approve, .approve, .pause, .resume, .resume, .promote, .promote, .retry(hosts: []),
                .retry(hosts: [host]), .skip(host: host), .abort,
                .rollback(RollbackSelection(hosts: .all)),
                .rollback(RollbackSelection(hosts: .named([host]))),
                .rollback(RollbackSelection(hosts: .wave(plan.waves.first?.name ?? ""))),
                .rollback(RollbackSelection(hosts: .all, fast: true)),
            ] + returns(.all) + returns(.named([host]))
        guard let chosen = random.pick(all), let person = random.pick(Self.persons),
            !refuses(.command(chosen, by: person, reason: "simulated", at: coordinatorNow))
        else { return }
        switch chosen {
        case .abort, .rollback: if random.chance(700) { return }
        default: break
        }
        command(chosen, by: person)
    }

    /// Each person approves what is open to them, and looks again while the rollout goes on.
    mutating func approveWhatWaits() {
        if coordinator.isUp, coordinator.machine.definition != nil {
            if coordinator.machine.isFinished { return }
            for person in Self.persons
            where !refuses(
                .command(.approve, by: person, reason: "simulated", at: coordinatorNow))
            {
                command(.approve, by: person)
            }
            for change in coordinator.machine.openChecklistChanges {
                command(.checklist(change), by: Self.persons[0])
            }
        }
        after(SimulationLimits.attention, .personsLook)
    }
}
