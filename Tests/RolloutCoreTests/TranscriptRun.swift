import FleetWire
import RolloutChecklist
import RolloutPlan

@testable import RolloutCore

/// Runs a transcript: every line that begins with `> ` is fed to a machine, what follows is its
/// trace. The language:
///
///     wave NAME HOST… [soak=3s] [gate=NAME] [metric=NAME] [webhook=NAME] [prometheus=NAME]
///         [grow=1x2] [nodata=fail] [manual=NAME] [two=NAME] [expires=60s]
///     set parallel=2 unavailable=2 domain=1 fleet=0 wave=0 domains=0 react=pause approval=yes
///         unreachable=60s offline=a1 irreversible=PERSONS [stage=finalization] expires=60s compatible=flags:app
///         calendar=yes progress=60s healthy=60s rehearse=yes late=skip converge=yes mass=3/30
///         queued=r7,r8
///     item NAME [after=a,b] [critical=yes] [required=yes]
///     start · tick +5s · connect HOST · disconnect HOST… · restart
///     report HOST KIND [stage=S] [mutated=no] [failure=words_with_underscores] [by=guard] [attempt=N]
///         [step=switch] [scope=S]
///     refuse HOST CODE [verb=V] [attempt=N]   the host refuses the order that it is under
///     settle [HOST…] [only=verb]       the hosts (all) answer their orders; nothing goes wrong
///     gate pass|fail|silent            the newest evaluation is answered
///     calendar open|closed [for=60s]   the calendar was read
///     admit [HOST…]                    its hosts are free; these (all) are connected
///     replace HOST · compare HOST same|different|unknown
///     probe pass|fail|inconclusive|nothing   the same for a gate that asks no host
///     command NAME [HOST…] [wave=W] [scope=S] [point=P] [fast=yes] [across=yes] [by=ada]
///         [reason=words_with_underscores]
///     command checklist start|done|fail|skip ITEM [revision=N]
///     wait +5s                         time passes, and the tick for it is late
///     mark · rewind                    remembers this moment · goes back to it, and keeps it
///     unmark                           forgets it
///     gates                            what the view says of gates and approvals
///     budgets                          the arithmetic of every scope
///     why [HOST]
struct TranscriptRun {
    var scenario = Scenario()
    var machine = RolloutMachine()
    var now = Scenario.start
    var lines: [String] = []
    /// The machine after every event.
    var moments: [Story.Moment] = []
    var transitions: Set<Transition> = []
    private var line = 0
    /// Where `rewind` goes back to.
    private var marked: [TranscriptRun] = []
    private var waiting: [(HostID, TransactionOrder)] = []
    private var asked: (wave: String, gate: ResolvedGate, round: Int, hosts: [HostID])?
    private var shown: RolloutView?

    mutating func run(_ text: String) {
        let words = text.split(separator: " ").map(String.init)
        guard let verb = words.first else { return }
        line += 1
        let rest = Array(words.dropFirst())
        let plain = rest.filter { !$0.contains("=") }
        var fields: [String: String] = [:]
        for word in rest where word.contains("=") {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            fields[String(parts[0])] = String(parts[1])
        }
        switch verb {
        case "wave": addWave(plain, fields)
        case "set": set(fields)
        case "item": addItem(plain, fields)
        case "start": if let event = scenario.created { feed(event) }
        case "tick":
            now = now + span(plain.first.map { String($0.dropFirst()) } ?? "0s")
            feed(.ticked(at: now))
        case "connect": for host in plain { feed(.connected(id(host), nil, at: now)) }
        case "disconnect": for host in plain { feed(.disconnected(id(host), at: now)) }
        case "restart": restart()
        case "report": report(plain, fields)
        case "refuse": refuse(plain, fields)
        case "settle": settle(plain, only: fields["only"])
        case "gate": answerGate(plain.first ?? "pass")
        case "probe": answerProbe(plain.first ?? "pass")
        case "gates": showGates()
        case "budgets":
            for scope in machine.view(now: now)?.budgets ?? [] {
                lines.append("  \(scope.scope): \(scope.arithmetic ?? "?")")
            }
        case "command": command(plain, fields)
        case "why": why(plain.first)
        case "calendar": readCalendar(plain.first, fields)
        case "admit": admit(plain)
        case "replace": for host in plain { feed(.replaced(id(host), at: now)) }
        case "compare": compare(plain)
        case "wait": now = now + span(plain.first.map { String($0.dropFirst()) } ?? "0s")
        case "mark": marked.append(self)
        case "rewind": rewind()
        case "unmark": _ = marked.popLast()
        default: lines.append("  ? \(text)")
        }
    }

    // MARK: - Feeding

    private mutating func feed(_ event: RolloutEvent) {
        let before = machine
        for effect in machine.handle(event) { show(effect) }
        transitions.formUnion(Transition.made(by: event, before, machine))
        moments.append(
            Story.Moment(line: line, isBranch: !marked.isEmpty, machine: machine))
        showStates()
    }

    /// Everything but what was written is as it was at the mark, which stays.
    private mutating func rewind() {
        guard var then = marked.last else { return lines.append("  ? rewind") }
        then.lines = lines
        then.transitions = transitions
        then.moments = moments
        then.line = line
        then.marked = marked
        self = then
    }

    private mutating func restart() {
        do {
            let bytes = try WireJSON.encode(machine)
            machine = try WireJSON.decode(RolloutMachine.self, from: bytes)
        } catch {
            lines.append("  ? \(error)")
        }
        waiting = []
        feed(.recovered(Generation(rawValue: 2), at: now))
    }

    private mutating func report(_ words: [String], _ fields: [String: String]) {
        guard words.count == 2, let kind = ReportKind(rawValue: words[1]) else {
            lines.append("  ? report")
            return
        }
        let attempt = machine.view(now: now)?.hosts.first { $0.id.rawValue == words[0] }?.attempt
        var report = TransactionReport(
            sequence: 0, rollout: Scenario.rollout,
            attempt: fields["attempt"].flatMap { Int($0) } ?? attempt ?? 0, at: now, kind: kind)
        report.stage = fields["stage"].flatMap { Stage(rawValue: $0) }
        report.mutated = fields["mutated"].map { $0 == "yes" }
        report.scope = fields["scope"].flatMap { RollbackScope($0) }
        report.by = fields["by"].flatMap { RollbackActor(rawValue: $0) }
        if let step = fields["step"] {
            report.step = StepReport(index: 0, name: step, phase: nil, attempt: 1, outcome: nil)
            if kind == .stepFinished {
                report.step?.outcome = StepOutcome(
                    status: .done, message: "ok", output: "", took: .seconds(1))
            }
        }
        report.failure = fields["failure"]?.split(separator: "_").joined(separator: " ")
        waiting.removeAll { $0.0.rawValue == words[0] }
        feed(.reported(id(words[0]), report, at: now))
    }

    private mutating func refuse(_ words: [String], _ fields: [String: String]) {
        let order = waiting.last { $0.0.rawValue == words.first }?.1
        guard words.count == 2,
            let verb = fields["verb"].flatMap({ OrderVerb(rawValue: $0) }) ?? order?.verb,
            let attempt = fields["attempt"].flatMap({ Int($0) }) ?? order?.attempt
        else {
            lines.append("  ? refuse")
            return
        }
        if fields.isEmpty { waiting.removeAll { $0.0.rawValue == words[0] } }
        feed(
            .refused(
                id(words[0]), verb, attempt: attempt,
                Refusal(code: words[1], reason: "no such thing", remedy: "look"), at: now))
    }

    private mutating func settle(_ names: [String], only verb: String?) {
        func mayAnswer(_ item: (HostID, TransactionOrder)) -> Bool {
            (names.isEmpty || names.contains(item.0.rawValue))
                && (verb == nil || item.1.verb.rawValue == verb) && isConnected(item.0)
        }
        while let place = waiting.firstIndex(where: mayAnswer) {
            let (host, order) = waiting.remove(at: place)
            for report in answers(to: order) {
                lines.append("  \(host) → \(report.kind.rawValue)")
                feed(.reported(host, report, at: now))
            }
        }
    }

    private func isConnected(_ host: HostID) -> Bool {
        machine.view(now: now)?.hosts.first { $0.id == host }?.connected ?? false
    }

    private mutating func answerGate(_ answer: String) {
        guard let asked else { return lines.append("  ? no gate was asked") }
        var results: [String: [CheckResult]] = [:]
        for host in asked.hosts {
            results[host.rawValue] =
                answer == "silent" ? [] : [Scenario.result(answer == "fail" ? .fail : .pass)]
        }
        feed(
            .gateChecked(
                wave: asked.wave, gate: asked.gate.name, round: asked.round, results: results,
                at: now))
    }

    private mutating func addItem(_ words: [String], _ fields: [String: String]) {
        let after = (fields["after"] ?? "").split(separator: ",").map(String.init)
        scenario.checklist =
            (scenario.checklist ?? [])
            + words.map {
                ChecklistItem(
                    id: $0, category: "test", description: "does \($0)", dependsOn: after,
                    isCritical: fields["critical"] == "yes", isRequired: fields["required"] == "yes"
                )
            }
    }

    private mutating func command(_ words: [String], _ fields: [String: String]) {
        guard let name = words.first else { return }
        let hosts = words.dropFirst().map(id)
        let command: OperatorCommand
        switch name {
        case "approve": command = .approve
        case "reject": command = .reject
        case "pause": command = .pause
        case "resume": command = .resume
        case "promote": command = .promote
        case "abort": command = .abort
        case "retry": command = .retry(hosts: hosts)
        case "skip": command = .skip(host: hosts.first ?? id("none"))
        case "checklist":
            let item = words.last ?? ""
            let now = machine.checklist?.place(of: item).map {
                machine.checklist?.records[$0].revision ?? 0
            }
            command = .checklist(
                ChecklistChange(
                    item: item, action: .init(rawValue: words[1]) ?? .start,
                    revision: fields["revision"].flatMap { Int($0) } ?? now ?? 0))
        case "rollback":
            command = .rollback(
                RollbackSelection(
                    hosts: fields["wave"].map { .wave($0) }
                        ?? (hosts.isEmpty ? .all : .named(hosts)),
                    scope: fields["scope"].flatMap { RollbackScope($0) } ?? .full,
                    point: fields["point"].map { PointID(unchecked: $0) },
                    fast: fields["fast"] == "yes", acrossPointOfNoReturn: fields["across"] == "yes"
                ))
        default: return lines.append("  ? command")
        }
        let by = fields["by"] ?? "ada"
        let reason = fields["reason"]?.split(separator: "_").joined(separator: " ")
        if let refusal = machine.refusal(of: command, by: by, reason: reason) {
            lines.append("  refused: \(refusal)")
        } else {
            feed(.command(command, by: by, reason: reason, at: now))
        }
    }

    private mutating func answerProbe(_ answer: String) {
        guard let asked else { return lines.append("  ? no gate was asked") }
        let verdict = answer == "nothing" ? nil : Verdict(rawValue: answer)
        feed(
            .gateProbed(
                wave: asked.wave, gate: asked.gate.name, round: asked.round,
                GateFinding(verdict: verdict, detail: "p95 of errors was \(answer)"), at: now))
    }

    private mutating func showGates() {
        guard let view = machine.view(now: now) else { return }
        for gate in [view.pointOfNoReturn].compactMap({ $0 }) + view.waves.flatMap(\.gates) {
            lines.append("  \(gate.name): \(gate.verdict?.rawValue ?? "open"), \(gate.detail)")
            for one in gate.approvals ?? [] {
                lines.append(
                    "    \(one.by)\(one.reason.map { ": \($0)" } ?? "")"
                        + (one.void.map { ", void: \($0)" } ?? ""))
            }
        }
    }

    private mutating func why(_ host: String?) {
        let view =
            if let host { machine.why(host: id(host), now: now) } else {
                machine.view(now: now)?.why
            }
        lines.append("  waits for \(view?.waitsFor ?? "?")")
        lines.append("  then \(view?.next ?? "?")\(view?.nextAt.map { " at \(text($0))" } ?? "")")
    }

    // MARK: - Scenario

    private mutating func addWave(_ words: [String], _ fields: [String: String]) {
        var gates: [ResolvedGate] = []
        if let name = fields["gate"] { gates.append(Scenario.gate(name)) }
        if let name = fields["manual"] { gates.append(Scenario.gate(name, manual: true)) }
        let onNoData = fields["nodata"].flatMap { ResolvedGate.NoData(rawValue: $0) }
        for (kind, probe) in Scenario.probes.sorted(by: { $0.key < $1.key }) {
            guard let name = fields[kind] else { continue }
            gates.append(Scenario.gate(name, probe, onNoData: onNoData ?? .inconclusive))
        }
        if let name = fields["two"] {
            let rule = ApprovalRule(persons: 2, expires: fields["expires"].map(span))
            gates.append(Scenario.gate(name, .approval(rule)))
        }
        scenario.addWave(
            words.first ?? "", Array(words.dropFirst()), soak: span(fields["soak"] ?? "0s"),
            gates: gates, growth: growth(fields["grow"]))
    }

    private func growth(_ text: String?) -> WaveGrowth? {
        let parts = text?.split(separator: "x").compactMap { Int($0) } ?? []
        return parts.count == 2 ? WaveGrowth(from: parts[0], factor: parts[1]) : nil
    }

    private mutating func set(_ fields: [String: String]) {
        func number(_ key: String) -> Int? { fields[key].flatMap { Int($0) } }
        scenario.parallel = number("parallel") ?? scenario.parallel
        scenario.unavailable = number("unavailable") ?? scenario.unavailable
        scenario.perDomain = number("domain") ?? scenario.perDomain
        scenario.budget.fleet = number("fleet") ?? scenario.budget.fleet
        scenario.budget.wave = number("wave") ?? scenario.budget.wave
        scenario.budget.domain = number("domains") ?? scenario.budget.domain
        scenario.approval = fields["approval"] == "yes"
        if let persons = number("irreversible") {
            scenario.pointOfNoReturn = ApprovalRule(
                persons: persons, expires: fields["expires"].map(span))
        }
        if fields["stage"] == "finalization" { scenario.returnsUntilFinalization = true }
        if let pair = fields["compatible"]?.split(separator: ":"), pair.count == 2 {
            scenario.compatible[String(pair[0]), default: []].append(
                ComponentName(unchecked: String(pair[1])))
        }
        if let reaction = fields["react"].flatMap({ RollbackPolicy.Reaction(rawValue: $0) }) {
            scenario.reaction = reaction
        }
        if let away = fields["unreachable"] { scenario.unreachable = span(away) }
        if let host = fields["offline"] { scenario.offline.insert(host) }
        setPace(fields)
    }

    private mutating func setPace(_ fields: [String: String]) {
        if fields["calendar"] == "yes" { scenario.pace.calendar = Scenario.calendar }
        if fields["rehearse"] == "yes" { scenario.pace.rehearses = true }
        if fields["converge"] == "yes" { scenario.absence.converges = true }
        if let text = fields["progress"] { scenario.pace.progressDeadline = span(text) }
        if let text = fields["healthy"] { scenario.pace.healthyDeadline = span(text) }
        if let late = fields["late"].flatMap({ AbsencePolicy.Late(rawValue: $0) }) {
            scenario.absence.late = late
        }
        let mass = fields["mass"]?.split(separator: "/").compactMap { Int($0) } ?? []
        if mass.count == 2 {
            scenario.absence.massLossHostsMin = mass[0]
            scenario.absence.massLossPercent = mass[1]
        }
        if let others = fields["queued"] {
            scenario.isQueued = true
            scenario.waitsFor = others.split(separator: ",").map(String.init)
        }
    }

    private mutating func readCalendar(_ word: String?, _ fields: [String: String]) {
        let isOpen = word == "open"
        feed(
            .calendarRead(
                CalendarReading(
                    isOpen: isOpen, changesAt: fields["for"].map { now + span($0) },
                    why: isOpen ? "Monday's window is open" : "no window is open"), at: now))
    }

    private mutating func admit(_ names: [String]) {
        let there = names.isEmpty ? scenario.hosts : names
        feed(.admitted(connected: there.map(id), at: now))
    }

    private mutating func compare(_ words: [String]) {
        guard words.count == 2 else { return lines.append("  ? compare") }
        let found: PointComparison
        switch words[1] {
        case "same": found = PointComparison(point: nil, differences: 0, detail: "nothing differs")
        case "different":
            found = PointComparison(point: nil, differences: 2, detail: "/etc/app, /etc/app/x")
        default:
            found = PointComparison(point: nil, differences: nil, detail: "the host is away")
        }
        feed(.compared(id(words[0]), found, at: now))
    }

    private func id(_ name: String) -> HostID { HostID(unchecked: name) }

    private func span(_ text: String) -> Milliseconds {
        .seconds(Int64(text.filter(\.isNumber)) ?? 0)
    }

    // MARK: - Trace

    private func text(_ moment: Timestamp) -> String {
        let span = moment.since(Scenario.start).count
        return span % 1000 == 0 ? "+\(span / 1000)s" : "+\(span)ms"
    }

    private mutating func show(_ effect: RolloutEffect) {
        switch effect {
        case .order(let host, let order):
            waiting.removeAll { $0.0 == host }
            waiting.append((host, order))
            let scope = order.scope.map { " \($0)" } ?? ""
            lines.append("  \(host) ← \(order.verb.rawValue)\(scope) #\(order.attempt)")
        case .readCalendar: lines.append("  calendar?")
        case .compare(let host, let point): lines.append("  compare \(host) with \(point)")
        case .evaluateGate(let wave, let gate, let round, let hosts):
            asked = (wave, gate, round, hosts)
            let list = hosts.map(\.rawValue).joined(separator: " ")
            lines.append("  gate \(wave)/\(gate.name) round \(round) on \(list)")
        case .note(let entry):
            let mark = ["info": "·", "warning": "!", "error": "✗"][entry.level.rawValue] ?? "?"
            lines.append("  \(mark) \(entry.host.map { "\($0) " } ?? "")\(entry.text)")
        case .quarantine(let digests, let reason, _):
            lines.append("  quarantine of \(digests.count): \(reason)")
        case .wake(let at): lines.append("  wake \(text(at))")
        }
    }

    private mutating func showStates() {
        guard let view = machine.view(now: now) else { return }
        var changes: [String] = []
        if view.state != shown?.state { changes.append("rollout \(view.state.rawValue)") }
        for (place, wave) in view.waves.enumerated() where wave.state != shown?.waves[place].state {
            changes.append("wave \(wave.name) \(wave.state.rawValue)")
        }
        for (place, host) in view.hosts.enumerated() where host.state != shown?.hosts[place].state {
            changes.append("\(host.id) \(host.state.rawValue)")
        }
        if view.unavailable != shown?.unavailable ?? 0 {
            changes.append("unavailable \(view.unavailable)/\(view.unavailableMax)")
        }
        if let rehearsal = view.rehearsal, rehearsal.phase != shown?.rehearsal?.phase {
            changes.append("rehearsal on \(rehearsal.host) \(rehearsal.phase)")
        }
        if !changes.isEmpty { lines.append("  = " + changes.joined(separator: ", ")) }
        shown = view
    }
}
