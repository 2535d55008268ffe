import AgentCore
import FleetWire

/// Connections between agents and the coordinator: dialled by agents, in order, and broken in all
/// the ways in which TCP breaks.
extension SimulatedRun {
    mutating func dial(_ host: Int, _ life: Int) {
        guard isAlive(host, life), hosts[host].served == nil else { return }
        guard coordinator.isUp, hosts[host].cut == nil else {
            return dialLater(host, .zero)
        }
        let number = connections.count
        connections.append(
            Connection(
                host: host, life: life, coordinatorLife: coordinator.life,
                epoch: hosts[host].epoch))
        hosts[host].served = number
        up(.hello(hosts[host].machine.openForHello), number)
    }

    private mutating func dialLater(_ host: Int, _ pause: Milliseconds) {
        let jitter = some(0...Int(hosts[host].backoff))
        hosts[host].backoff = min(SimulationLimits.backoffMax, hosts[host].backoff * 2)
        after(pause.count + jitter + 1, .dials(host: host, life: hosts[host].life))
    }

    private mutating func latency(_ host: Int) -> Int64 {
        let slow = has(.slow) && random.chance(30) ? some(200...4000) : 0
        return some(1...40) * Int64(hosts[host].factor) + slow
    }

    // MARK: - Messages

    mutating func send(_ report: TransactionReport, from host: Int) {
        recorder?.note(now, "\(hosts[host].id) reports \(report.sequence) \(report.kind.rawValue)")
        witness(report, host)
        if let session = hosts[host].session {
            up(.report(report), session)
        } else if setup.planted == .reportDropped {
            after(1, .forgets(host: host, life: hosts[host].life, report.sequence))
        }
    }

    mutating func up(_ frame: UpFrame, _ number: Int) {
        guard connections[number].isAgentOpen, !connections[number].isUpLost else { return }
        let host = connections[number].host
        guard let wait = wait(hosts[host].cut, { $0.up }) else {
            connections[number].isUpLost = true
            return
        }
        let arrival = max(connections[number].upArrival, now + wait + latency(host))
        connections[number].upArrival = arrival
        queue.put(.arrivesAtCoordinator(frame, connection: number), at: arrival)
        if has(.loss), random.chance(20), case .report = frame {
            queue.put(
                .arrivesAtCoordinator(frame, connection: number), at: arrival + some(0...4000))
        }
    }

    mutating func down(_ frame: DownFrame, _ number: Int) {
        guard connections[number].isCoordinatorOpen, !connections[number].isDownLost else { return }
        let host = connections[number].host
        guard let wait = wait(hosts[host].cut, { $0.down }) else {
            connections[number].isDownLost = true
            return
        }
        let arrival = max(connections[number].downArrival, now + wait + latency(host))
        connections[number].downArrival = arrival
        queue.put(.arrivesAtAgent(frame, connection: number), at: arrival)
        guard has(.loss), random.chance(30) else { return }
        switch frame {
        case .order, .acknowledge:
            queue.put(.arrivesAtAgent(frame, connection: number), at: arrival + some(0...20_000))
        case .welcome, .bye: break
        }
    }

    /// How long a cut holds a message up; nil if it never arrives.
    private func wait(
        _ cut: SimulatedHost.Cut?, _ isCut: (SimulatedHost.Cut) -> Bool
    ) -> Int64? {
        guard let cut, isCut(cut), now < cut.to else { return 0 }
        return cut.breaks ? nil : cut.to - now
    }

    /// A message reaches the agent, as `Agent+Sessions` takes it.
    mutating func reach(_ frame: DownFrame, _ number: Int) {
        let connection = connections[number]
        let host = connection.host
        guard connection.isAgentOpen, isAlive(host, connection.life), hosts[host].served == number
        else { return }
        switch frame {
        case .welcome(let term, let acknowledged):
            guard connection.epoch == hosts[host].epoch else { return closeByAgent(number) }
            hosts[host].session = number
            hosts[host].backoff = SimulationLimits.backoffFirst
            if term > hosts[host].machine.generation { tell(host, .term(term)) }
            if acknowledged > 0 { acknowledge(host, acknowledged) }
            tell(host, .connected)
        case .order(let order, let term):
            guard hosts[host].session == number else { return }
            deliver(order, term, host, message: "\(order.verb.rawValue) \(order.attempt)")
        case .acknowledge(let sequence): acknowledge(host, sequence)
        case .bye(let pause):
            connections[number].retryAfter = pause
            closeByAgent(number)
        }
    }

    /// A refusal goes to the session that the order came by; `message` says which order that was.
    mutating func refuse(_ host: Int, _ message: String, _ refusal: Refusal) {
        recorder?.note(now, "\(hosts[host].id) refuses: \(refusal.code)")
        let words = message.split(separator: " ")
        guard let session = hosts[host].session, words.count == 2,
            let verb = OrderVerb(rawValue: String(words[0])), let attempt = Int(words[1])
        else { return }
        up(.refused(verb, attempt: attempt, refusal), session)
    }

    private mutating func acknowledge(_ host: Int, _ sequence: UInt64) {
        guard hosts[host].isAgentUp else { return }
        checkDurable(host, sequence)
        tell(host, .acknowledged(upTo: sequence))
    }

    /// An order reaches the host's machine.
    mutating func deliver(
        _ order: TransactionOrder, _ term: Generation, _ host: Int, message: String
    ) {
        guard hosts[host].isAgentUp else { return }
        recorder?.note(
            now,
            "\(hosts[host].id) hears \(order.verb.rawValue) \(order.attempt), term \(term.rawValue)"
        )
        let before = hosts[host].machine
        let heard =
            setup.planted == .generationNotChecked ? max(term, before.generation) : term
        tell(host, .order(forgetful(order), generation: heard, message: message))
        checkTerm(host, term, before)
    }

    // MARK: - Ends

    mutating func closeByAgent(_ number: Int) {
        guard connections[number].isAgentOpen else { return }
        connections[number].isAgentOpen = false
        after(1, .agentLeaves(connection: number))
        tellEnd(number, .coordinator)
    }

    mutating func closeByCoordinator(_ number: Int) {
        guard connections[number].isCoordinatorOpen else { return }
        connections[number].isCoordinatorOpen = false
        connections[number].unread = []
        tellEnd(number, .agent)
        left(number)
    }

    /// The other side hears of an end at once, or by silence.
    private mutating func tellEnd(_ number: Int, _ side: Side) {
        let host = connections[number].host
        let isLost: Bool
        switch side {
        case .agent:
            isLost = connections[number].isDownLost || wait(hosts[host].cut, { $0.down }) == nil
        case .coordinator:
            isLost = connections[number].isUpLost || wait(hosts[host].cut, { $0.up }) == nil
        }
        let last =
            side == .agent ? connections[number].downArrival : connections[number].upArrival
        let pause =
            isLost
            ? SimulationLimits.silenceMax + some(0...Int(SimulationLimits.heartbeat))
            : max(0, last - now) + latency(host)
        after(pause, .noticesEnd(connection: number, side))
    }

    /// A process ended: the kernel says so, unless the machine went with it.
    mutating func drop(_ number: Int, silently: Bool) {
        connections[number].isAgentOpen = false
        if silently { connections[number].isUpLost = true }
        tellEnd(number, .coordinator)
    }

    mutating func notice(_ number: Int, _ side: Side) {
        switch side {
        case .agent: closeByAgent(number)
        case .coordinator:
            guard coordinator.life == connections[number].coordinatorLife else { return }
            closeByCoordinator(number)
        }
    }

    mutating func leave(_ number: Int) {
        let connection = connections[number]
        let host = connection.host
        guard isAlive(host, connection.life), hosts[host].served == number else { return }
        hosts[host].served = nil
        if hosts[host].session == number {
            hosts[host].session = nil
            recorder?.note(now, "\(hosts[host].id) session ends")
            tell(host, .disconnected)
        }
        guard hosts[host].isAgentUp else { return }
        if connection.epoch == hosts[host].epoch {
            dialLater(host, connection.retryAfter)
        } else {
            after(some(1...20), .dials(host: host, life: connection.life))
        }
    }

    // MARK: - Trouble

    mutating func breakConnection(_ host: Int) {
        guard let number = hosts[host].served else { return }
        recorder?.note(now, "\(hosts[host].id) connection breaks")
        connections[number].isUpLost = true
        connections[number].isDownLost = true
        after(some(1...3000), .noticesEnd(connection: number, .agent))
        after(some(1...3000), .noticesEnd(connection: number, .coordinator))
    }

    mutating func cut(_ host: Int, up: Bool, down: Bool, span: Int64) {
        guard hosts[host].cut == nil else { return }
        let cut = SimulatedHost.Cut(up: up, down: down, from: now, to: now + span)
        hosts[host].cut = cut
        recorder?.note(now, "\(hosts[host].id) is cut off for \(span) ms (up \(up), down \(down))")
        after(span, .cutEnds(host: host))
        guard cut.breaks, let number = hosts[host].served else { return }
        let late = Int(SimulationLimits.heartbeat)
        if down {
            connections[number].isDownLost = true
            after(
                SimulationLimits.silenceMax + some(0...late),
                .noticesEnd(connection: number, .agent))
        }
        if up {
            connections[number].isUpLost = true
            after(
                SimulationLimits.silenceMax + some(0...late),
                .noticesEnd(connection: number, .coordinator))
        }
    }

    mutating func endCut(_ host: Int) {
        guard let cut = hosts[host].cut, cut.to <= now else { return }
        hosts[host].cut = nil
        recorder?.note(now, "\(hosts[host].id) can be reached again")
    }
}
