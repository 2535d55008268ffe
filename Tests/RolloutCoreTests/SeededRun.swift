import FleetWire
import RolloutCore
import RolloutPlan

/// One random rollout: hosts that crash, hang, fail and vanish, a coordinator that restarts, an
/// operator who interferes. It keeps its own books and complains when the machine breaks a promise.
struct SeededRun {
    let seed: UInt64
    var random: SeededRandom
    let plan: ResolvedPlan
    var machine = RolloutMachine()
    var journal: [RolloutEvent] = []
    var hosts: [ModelHost]
    var now = Scenario.start
    var complaints: [String] = []
    private var wakeAt: Timestamp?
    private var gates: [(wave: String, gate: String, round: Int, hosts: [HostID])] = []
    /// Hosts that do not serve, by the run's own books.
    private var down: Set<HostID> = []
    private var touched: Set<HostID> = []
    private var ordered: Set<String> = []
    private var wrong: Set<HostID> = []
    private var undone: Set<HostID> = []
    private var isUnlimited = false
    /// What the calendar said last, and whether it was asked again since.
    private var reading: CalendarReading?
    private var calendarAsked = false
    private var comparing: (HostID, PointID)?
    private var shadow = PaceShadow()
    /// What happened at least once.
    var seen: Set<String> = []
    var faults = true

    init?(seed: UInt64) {
        self.seed = seed
        random = SeededRandom(seed: seed)
        // Every fourth run has nothing go wrong but the order of things.
        faults = seed % 4 != 0
        var scenario = Scenario()
        let count = Int.random(in: 3...9, using: &random)
        let names = (0..<count).map { "\(["a", "b", "c"][$0 % 3])\($0 / 3)" }
        let cut = Int.random(in: 1..<count, using: &random)
        scenario.addWave(
            "canary", Array(names[..<cut]), soak: .seconds(3), gates: [Scenario.gate("healthy")])
        scenario.addWave(
            "rest", Array(names[cut...]),
            gates: random.chance(20) ? [Scenario.gate("go", manual: true)] : [])
        scenario.parallel = Int.random(in: 1...4, using: &random)
        scenario.unavailable = Int.random(in: 1...4, using: &random)
        scenario.perDomain = random.chance(50) ? 1 : nil
        scenario.budget = FailureBudget(
            fleet: Int.random(in: 0...3, using: &random), wave: random.chance(30) ? 1 : nil,
            domain: random.chance(30) ? 1 : nil)
        scenario.reaction =
            [.rollback, .rollback, .pause, .abort].randomElement(using: &random)
            ?? .rollback
        scenario.approval = random.chance(10)
        scenario.drawPace(names, &random)
        guard let plan = scenario.plan, let created = scenario.created else { return nil }
        self.plan = plan
        hosts = plan.hosts.map { ModelHost(id: $0.id) }
        for place in hosts.indices {
            hosts[place].connected = !scenario.offline.contains(hosts[place].id.rawValue)
        }
        feed(created)
    }

    // MARK: - The run

    mutating func run() {
        for _ in 0..<600 where !machine.isFinished { step() }
        faults = false
        calm()
        if !machine.isFinished { finishByOperator() }
        if !machine.isFinished {
            let why = machine.view(now: now)?.why
            complain("it never ends: \(why?.waitsFor ?? "?"); \(why?.next ?? "?")")
        }
        checkEnd()
        checkReplay()
    }

    private mutating func step() {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<48: deliver()
        case 48..<51: answerCalendar()
        case 51..<53: answerComparison()
        case 53: admit()
        case 54: if random.chance(15) { replace() }
        case 55..<70: pass(Milliseconds(Int64.random(in: 0...8000, using: &random)))
        case 70..<72: pass(.seconds(Int64.random(in: 30...900, using: &random)))
        case 72..<77: disconnect(Int.random(in: hosts.indices, using: &random))
        case 77..<88: reconnect()
        case 88..<94: answerGate()
        case 94..<97: command()
        case 97: restart()
        default: sayStale()
        }
    }

    /// Everybody is there and well, and time passes.
    private mutating func calm() {
        for _ in 0..<60 where !machine.isFinished {
            for _ in hosts { reconnect() }
            for _ in 0..<200 where hosts.contains(where: { !$0.outbox.isEmpty }) { deliver() }
            while !gates.isEmpty { answerGate() }
            answerCalendar()
            answerComparison()
            admit()
            pass(.seconds(60))
        }
    }

    /// What is left waits for a person, and says so.
    private mutating func finishByOperator() {
        guard let why = machine.view(now: now)?.why, !why.waitsFor.isEmpty, !why.next.isEmpty else {
            return complain("it waits and does not say for what")
        }
        isUnlimited = true
        let way: [OperatorCommand] = [
            .promote, .approve, .resume,
            .rollback(RollbackSelection(hosts: .all, fast: true)), .abort,
        ]
        for command in way
        where !machine.isFinished
            && machine.refusal(of: command, by: "ada", reason: "random") == nil
        {
            feed(.command(command, by: "ada", reason: "random", at: now))
            calm()
        }
    }

    private mutating func deliver() {
        if comparing != nil, random.chance(40) { return answerComparison() }
        if calendarAsked, random.chance(20) { return answerCalendar() }
        let ready = hosts.indices.filter { hosts[$0].connected && !hosts[$0].outbox.isEmpty }
        guard let place = ready.randomElement(using: &random) else { return pass(.seconds(1)) }
        let report = hosts[place].outbox.removeFirst()
        let host = hosts[place].id
        switch report.kind {
        case .failed:
            if report.mutated == false { down.remove(host) }
            if !undone.contains(host), !isLeftOut(host) { wrong.insert(host) }
        case .confirmed:
            if !undone.contains(host) { down.remove(host) }
        case .rolledBack: if report.scope ?? .full == .full { down.remove(host) }
        case .rollingBack, .rollbackFailed: down.insert(host)
        default: break
        }
        feed(.reported(host, report, at: now))
    }

    /// What a host that was left out does counts for nothing.
    private func isLeftOut(_ host: HostID) -> Bool {
        machine.view(now: now)?.hosts.contains { $0.id == host && $0.state == .skipped } ?? false
    }

    private mutating func pass(_ span: Milliseconds) {
        now = now + span
        guard let due = wakeAt, due <= now else { return }
        wakeAt = nil
        feed(.ticked(at: now))
    }

    private mutating func disconnect(_ place: Int) {
        guard hosts[place].connected, faults else { return }
        hosts[place].connected = false
        feed(.disconnected(hosts[place].id, at: now))
    }

    private mutating func reconnect() {
        let away = hosts.indices.filter { !hosts[$0].connected }
        guard let place = away.randomElement(using: &random) else { return }
        hosts[place].connected = true
        feed(.connected(hosts[place].id, nil, at: now))
    }

    private mutating func answerGate() {
        guard !gates.isEmpty else { return }
        let asked = gates.removeFirst()
        let status: CheckStatus =
            !faults ? .pass : random.chance(4) ? .fail : random.chance(15) ? .unknown : .pass
        var results: [String: [CheckResult]] = [:]
        for host in asked.hosts { results[host.rawValue] = [Scenario.result(status)] }
        feed(
            .gateChecked(
                wave: asked.wave, gate: asked.gate, round: asked.round, results: results, at: now))
    }

    private mutating func answerCalendar() {
        guard calendarAsked else { return }
        calendarAsked = false
        let isOpen = !faults || random.chance(70)
        let said = CalendarReading(
            isOpen: isOpen,
            changesAt: faults || !isOpen
                ? now + .seconds(Int64.random(in: 0...300, using: &random)) : nil,
            why: "it says so")
        reading = said
        if !isOpen { seen.insert("closed") }
        feed(.calendarRead(said, at: now))
    }

    private mutating func answerComparison() {
        guard let (host, point) = comparing else { return }
        comparing = nil
        let differences = faults && random.chance(10) ? 1 : faults && random.chance(10) ? nil : 0
        feed(
            .compared(
                host, PointComparison(point: point, differences: differences, detail: "looked at"),
                at: now))
    }

    private mutating func admit() {
        guard machine.view(now: now)?.state == .planned else { return }
        if !machine.heldHosts.isEmpty { complain("a queued rollout holds hosts") }
        seen.insert("queued")
        feed(.admitted(connected: hosts.filter(\.connected).map(\.id), at: now))
    }

    /// A new host takes the name of an old one.
    private mutating func replace() {
        let place = Int.random(in: hosts.indices, using: &random)
        let id = hosts[place].id
        hosts[place] = ModelHost(id: id)
        hosts[place].connected = false
        down.remove(id)
        touched.remove(id)
        seen.insert("replaced")
        feed(.replaced(id, at: now))
    }

    private mutating func command() {
        let host = hosts[Int.random(in: hosts.indices, using: &random)].id
        let commands: [OperatorCommand] = [
            .pause, .resume, .resume, .promote, .promote, .retry(hosts: []), .skip(host: host),
            .approve, .abort, .rollback(RollbackSelection(hosts: .named([host]))),
            .rollback(RollbackSelection(hosts: .all)),
        ]
        guard let command = commands.randomElement(using: &random),
            machine.refusal(of: command, by: "ada", reason: "random") == nil
        else { return }
        if case .abort = command, !random.chance(5) { return }
        if case .rollback = command, !random.chance(8) { return }
        feed(.command(command, by: "ada", reason: "random", at: now))
    }

    private mutating func restart() {
        if random.chance(50) {
            do {
                machine = try WireJSON.decode(
                    RolloutMachine.self, from: try WireJSON.encode(machine))
            } catch { complain("the machine does not survive its checkpoint: \(error)") }
        } else {
            machine = replayed()
        }
        gates = []
        calendarAsked = false
        comparing = nil
        wakeAt = nil
        for place in hosts.indices { hosts[place].connected = false }
        feed(.recovered(Generation(rawValue: 2), at: now))
    }

    // MARK: - Books

    private mutating func feed(_ event: RolloutEvent) {
        let before = machine.view(now: now)
        journal.append(event)
        shadow.begin(before)
        for effect in machine.handle(event) {
            switch effect {
            case .order(let host, let order): take(order, host, before)
            case .readCalendar: calendarAsked = true
            case .compare(let host, let point): comparing = (host, point)
            case .evaluateGate(let wave, let gate, let round, let asked):
                gates.append((wave, gate.name, round, asked))
            case .wake(let at):
                if at <= now { complain("a wake at \(at) though it is \(now)") }
                wakeAt = wakeAt.map { min($0, at) } ?? at
            case .note(let entry):
                if entry.text.hasSuffix("go at once") { seen.insert("grew") }
                if entry.text.contains("is late and goes alone") { seen.insert("alone") }
            case .quarantine: break
            }
        }
        switch machine.view(now: now)?.rehearsal?.phase {
        case "passed": seen.insert("passed")
        case "failed": seen.insert("differs")
        default: break
        }
        for text in shadow.end(machine.view(now: now), plan) { complain(text) }
    }

    private mutating func take(_ order: TransactionOrder, _ host: HostID, _ before: RolloutView?) {
        let isNew = ordered.insert("\(host) \(order.attempt) \(order.verb)").inserted
        switch order.verb {
        case .migrate where isNew:
            if let scope = before?.budgets.first(where: { $0.spent.count > $0.limit }) {
                complain("\(host) was touched though the budget of \(scope.scope) is spent")
            }
            if before?.state != .succeeded, wrong.count > plan.budget.fleet {
                complain("\(host) was touched after \(wrong.count) hosts failed")
            }
            checkPace(host, before)
            undone.remove(host)
            touched.insert(host)
            down.insert(host)
            checkLimits(host, order.verb)
        case .rollback where isNew:
            undone.insert(host)
            if isDown(host) {
                down.insert(host)
            } else {
                down.insert(host)
                if !isUnlimited { checkLimits(host, order.verb) }
            }
        case .prepare, .validate, .migrate, .confirm, .commit, .rollback, .release: break
        }
        if let place = hosts.firstIndex(where: { $0.id == host }) {
            hosts[place].take(order, faults: faults, &random)
        }
    }

    private mutating func checkPace(_ host: HostID, _ before: RolloutView?) {
        let isOpen = reading.map { $0.isOpen && $0.changesAt.map { now < $0 } ?? true } ?? false
        if plan.pace.calendar != nil, !isOpen { complain("\(host) was touched in a closed window") }
        shadow.begun.append(host)
    }

    private mutating func checkEnd() {
        guard let view = machine.view(now: now), view.state == .succeeded else { return }
        if plan.pace.rehearses, view.rehearsal?.phase != "passed" {
            complain("it succeeded without its rehearsal: \(view.rehearsal?.phase ?? "none")")
        }
        if plan.absence.converges, let late = view.hosts.first(where: { $0.state == .late }) {
            complain("\(late.id) was there and did not converge")
        }
    }

    private func isDown(_ host: HostID) -> Bool {
        down.contains(host)
            || (touched.contains(host) && hosts.contains { $0.id == host && !$0.connected })
    }

    private mutating func checkLimits(_ host: HostID, _ verb: OrderVerb) {
        let list = plan.hosts.filter { isDown($0.id) }
        if list.count > plan.limits.unavailableMax {
            complain("\(list.count) hosts are unavailable after \(verb) of \(host)")
        }
        guard let domainMax = plan.limits.unavailablePerDomainMax,
            let domain = plan.hosts.first(where: { $0.id == host })?.domain
        else { return }
        if list.count(where: { $0.domain == domain }) > domainMax {
            complain("too many of domain \(domain) are unavailable after \(verb) of \(host)")
        }
    }

    /// Old and impossible words must not move anything.
    private mutating func sayStale() {
        guard
            let place = hosts.indices.filter({ hosts[$0].connected }).randomElement(using: &random)
        else { return }
        let kinds: [ReportKind] = [.verified, .confirmed, .committed, .rolledBack, .failed]
        let kind = kinds.randomElement(using: &random) ?? .verified
        let report = TransactionReport(
            sequence: 0, rollout: Scenario.rollout, attempt: 99, at: now, kind: kind)
        let event: RolloutEvent =
            random.chance(50)
            ? .reported(hosts[place].id, report, at: Scenario.start)
            : .gateChecked(
                wave: "canary", gate: "healthy", round: -1, results: [:], at: Scenario.start)
        let before = states
        feed(event)
        if states != before { complain("a stale \(event.kind) moved something") }
    }

    private var states: [String] {
        guard let view = machine.view(now: now) else { return [] }
        return [view.state.rawValue] + view.waves.map(\.state.rawValue)
            + view.hosts.map { "\($0.id) \($0.state.rawValue) \($0.attempt)" }
            + [view.rehearsal?.phase ?? ""]
    }

    private func replayed() -> RolloutMachine {
        var machine = RolloutMachine()
        for event in journal { _ = machine.handle(event) }
        return machine
    }

    private mutating func checkReplay() {
        do {
            if try WireJSON.encode(replayed()) != WireJSON.encode(machine) {
                complain("a replay gives another state")
            }
        } catch { complain("\(error)") }
    }

    private mutating func complain(_ text: String) {
        complaints.append("seed \(seed), event \(journal.count): \(text)")
    }
}
