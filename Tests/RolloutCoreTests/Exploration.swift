import FleetWire
import RolloutPlan

@testable import RolloutCore

/// Every event that could come next, whatever a host, an operator or the clock may think of.
struct Exploration {
    let machine: RolloutMachine

    /// The transitions that one more event can make.
    func transitions() -> Set<Transition> {
        var found: Set<Transition> = []
        for event in events {
            var next = machine
            _ = next.handle(event)
            found.formUnion(Transition.made(by: event, machine, next))
        }
        return found
    }

    private var at: Timestamp { machine.now }

    var events: [RolloutEvent] {
        clockEvents + commandEvents + gateEvents + machine.hosts.flatMap(hostEvents)
    }

    private var clockEvents: [RolloutEvent] {
        let soon = machine.wakeAt.map { [RolloutEvent.ticked(at: $0)] } ?? []
        let everybody = machine.hosts.map(\.id)
        return soon + [
            .ticked(at: at + .seconds(3600)), .recovered(Generation(rawValue: 9), at: at),
            .admitted(connected: everybody, at: at), .admitted(connected: [], at: at),
            .calendarRead(CalendarReading(isOpen: true, changesAt: nil, why: "open"), at: at),
            .calendarRead(CalendarReading(isOpen: false, changesAt: nil, why: "closed"), at: at),
        ]
    }

    private var commandEvents: [RolloutEvent] {
        let selections: [RollbackSelection.Hosts] =
            [.all] + machine.waves.indices.map { .wave(machine.waveName($0)) }
            + machine.hosts.map { .named([$0.id]) }
        let flags = RollbackScope.flags
        let rollbacks = selections.flatMap { hosts in
            [
                RollbackSelection(hosts: hosts), RollbackSelection(hosts: hosts, scope: flags),
                RollbackSelection(hosts: hosts, fast: true),
                RollbackSelection(hosts: hosts, acrossPointOfNoReturn: true),
            ]
        }
        let commands: [OperatorCommand] =
            [.approve, .reject, .pause, .resume, .promote, .abort, .retry(hosts: [])]
            + machine.hosts.flatMap { [.retry(hosts: [$0.id]), .skip(host: $0.id)] }
            + rollbacks.map { .rollback($0) }
        return commands.filter { machine.refusal(of: $0, by: "eve", reason: "because") == nil }
            .map { .command($0, by: "eve", reason: "because", at: at) }
    }

    private var gateEvents: [RolloutEvent] {
        guard case .wave(let number) = machine.progress,
            let gates = machine.plan?.waves[number].gates
        else { return [] }
        let wave = machine.waves[number]
        guard gates.indices.contains(wave.gate) else { return [] }
        let names = machine.hosts.map(\.id.rawValue)
        let checked = [CheckStatus.pass, .fail].map { status in
            RolloutEvent.gateChecked(
                wave: machine.waveName(number), gate: gates[wave.gate].name, round: wave.round,
                results: Dictionary(
                    uniqueKeysWithValues: names.map {
                        ($0, [Scenario.result(status)])
                    }), at: at)
        }
        let probed = [Verdict.pass, .fail, .inconclusive].map { verdict in
            RolloutEvent.gateProbed(
                wave: machine.waveName(number), gate: gates[wave.gate].name, round: wave.round,
                GateFinding(verdict: verdict, detail: "measured"), at: at)
        }
        return checked + probed
    }

    private func hostEvents(_ host: HostRecord) -> [RolloutEvent] {
        let refusals = host.open.map { open in
            ["unknown_step", "past_return", "busy"].map { code in
                RolloutEvent.refused(
                    host.id, open.verb, attempt: host.attempt,
                    Refusal(code: code, reason: "no", remedy: "look"), at: at)
            }
        }
        let comparisons = [0, 2, nil].map { number in
            RolloutEvent.compared(
                host.id, PointComparison(point: nil, differences: number, detail: "it"), at: at)
        }
        return reports(host).map { .reported(host.id, $0, at: at) } + (refusals ?? [])
            + comparisons + [
                .connected(host.id, nil, at: at), .disconnected(host.id, at: at),
                .replaced(host.id, at: at),
            ]
    }

    private func reports(_ host: HostRecord) -> [TransactionReport] {
        let kinds: [ReportKind] = [
            .prepared, .validated, .stepStarted, .stepFinished, .checksFinished, .captured,
            .guarded, .verified, .confirmed, .committed, .failed, .rollingBack, .rolledBack,
            .rollbackFailed, .released,
        ]
        return kinds.flatMap { kind -> [TransactionReport] in
            var report = TransactionReport(
                sequence: 0, rollout: Scenario.rollout, attempt: host.attempt, at: at, kind: kind)
            switch kind {
            case .stepStarted:
                report.stage = .migration
                report.step = StepReport(
                    index: 0, name: "switch", phase: nil, attempt: 1, outcome: nil)
                return [report]
            case .stepFinished:
                report.stage = .migration
                report.step = StepReport(
                    index: 0, name: "switch", phase: nil, attempt: 1,
                    outcome: StepOutcome(
                        status: .done, message: "ok", output: "", took: .seconds(1)))
                return [report]
            case .checksFinished:
                report.stage = .verification
                return [report]
            case .failed:
                var unchanged = report
                unchanged.mutated = false
                report.mutated = true
                return [report, unchanged]
            case .rolledBack:
                var part = report
                part.scope = .flags
                report.scope = .full
                return [report, part]
            case .prepared, .validated, .captured, .guarded, .verified, .confirmed, .committed,
                .rollingBack, .rollbackFailed, .released:
                return [report]
            }
        }
    }
}

extension RolloutMachine {
    /// Equal where two machines of one plan would answer the same events alike.
    var outline: String {
        let hosts = hosts.map { host in
            "\(host.state)\(host.open?.verb.rawValue ?? "-")\(host.connected)\(host.touched)"
                + "\(host.kept)\(host.undo)\(host.alone)\(host.pastReturn != nil)"
                + "\(host.progress.changed)\(host.spent)\(host.deadline != nil)"
        }
        return "\(state)\(progress)\(waves.map(\.state))\(exhausted != nil)\(massLoss != nil)"
            + "\(pass.map { "\($0.fast)\($0.isFull)\($0.across)" } ?? "-")"
            + "\(rehearsal.map(\.phase.rawValue) ?? "-")\(isOpen)\(hosts)"
    }
}
