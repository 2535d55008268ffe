import FleetTransport
package import FleetWire
import Logging
import RolloutCore
import RolloutPlan

extension Coordinator {
    /// Why a host with this certificate is turned away; nil if it is welcome.
    package nonisolated func refusal(host: HostID, serial: String) -> String? {
        directory.refusal(host: host, serial: serial)
    }

    /// Serves one agent's connection until it ends.
    func serve(_ connection: FleetConnection) async {
        guard let peer = connection.peer, let host = peer.host else {
            connection.close()
            return
        }
        if let reason = registry.refusal(host: host, serial: peer.serial) {
            logger.warning(
                "connection refused",
                metadata: ["peer": "\(connection.address)", "reason": "\(reason)"])
            connection.close()
            return
        }
        let session = AgentSession(
            host: host, serial: peer.serial, number: nextSessionNumber(), connection: connection,
            generation: generation)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await session.runOutbox() }
            group.addTask {
                await self.read(connection, session)
                session.finish()
            }
            group.addTask { await session.closeLate() }
            // The outbox and the reader end by themselves; the last one only bounds them.
            await group.next()
            await group.next()
            group.cancelAll()
        }
        left(session)
    }

    private func read(_ connection: FleetConnection, _ session: AgentSession) async {
        var payloads = connection.inbound.makeAsyncIterator()
        do {
            var isGreeted = false
            while let payload = try await payloads.next() {
                // What comes after our last words is not looked at.
                guard !session.isClosed else { continue }
                let message = try ReceivedMessage(payload: payload)
                if isGreeted {
                    try await take(message, session)
                } else if message.header.type == .hello {
                    let hello = try message.body(Hello.self)
                    isGreeted = await greet(hello, message.header.id, session)
                    if isGreeted { announce(hello, session) }
                } else {
                    session.close(farewell: Farewell(reason: "say hello first", retryAfter: nil))
                }
            }
        } catch {
            end(session, error)
            // A connection that nobody reads is closed at once: our last words go first.
            while (try? await payloads.next()) != nil {}
        }
    }

    private func end(_ session: AgentSession, _ error: any Error) {
        let reason = (error as? FrameError)?.reason ?? "\(error)"
        logger.warning(
            "connection ended", metadata: ["host": "\(session.host)", "reason": "\(reason)"])
        session.close(
            farewell: error is FrameError
                ? Farewell(reason: reason, retryAfter: .seconds(5))
                : Farewell(
                    reason: "the coordinator could not go on with this connection",
                    retryAfter: .seconds(2)))
    }

    private func greet(_ hello: Hello, _ id: String, _ session: AgentSession) async -> Bool {
        guard hello.versions.contains(1) else {
            session.post(
                .refused,
                Refusal(
                    code: "version", reason: "this coordinator speaks wire version 1",
                    remedy: "update the agent"), re: id)
            session.close(farewell: Farewell(reason: "no common version", retryAfter: .seconds(60)))
            return false
        }
        if let reason = registry.refusal(host: session.host, serial: session.serial) {
            session.close(farewell: Farewell(reason: reason, retryAfter: nil))
            return false
        }
        guard await settleRivals(of: session) else { return false }
        // Revoked or enrolled anew while we waited.
        if let reason = registry.refusal(host: session.host, serial: session.serial) {
            session.close(farewell: Farewell(reason: reason, retryAfter: nil))
            return false
        }
        let now = clock()
        compare(hello.generation, of: session.host, now: now)
        let skew = hello.now.since(now)
        if skew.count.magnitude > CoordinatorLimits.skewMax.count.magnitude {
            logger.warning(
                "clock skew",
                metadata: ["host": "\(session.host)", "milliseconds": "\(skew.count)"])
        }
        presence[session.host] = Presence(
            session: session, facts: hello.facts, agentVersion: hello.agentVersion, skew: skew,
            lastSeen: now)
        welcome(session, re: id, now: now)
        return true
    }

    private func welcome(_ session: AgentSession, re id: String, now: Timestamp) {
        session.post(
            .welcome,
            Welcome(
                version: 1, features: [], host: session.host,
                heartbeatEvery: CoordinatorLimits.heartbeatEvery,
                payloadBytesMax: FrameLimits.v1.payloadBytesMax, now: now,
                acknowledged: lastReport(of: session.host)), re: id)
    }

    private func announce(_ hello: Hello, _ session: AgentSession) {
        for id in order {
            guard let running = rollouts[id], concerns(running, session.host) else { continue }
            enqueue(
                .rollout(id, .connected(session.host, hello.open, at: clock())),
                actor: "host:\(session.host)", done: nil)
        }
    }

    func concerns(_ running: Running, _ host: HostID) -> Bool {
        guard let plan = running.machine.definition?.plan else { return false }
        return !running.machine.isFinished && plan.hosts.contains { $0.id == host }
    }

    private func left(_ session: AgentSession) {
        guard let present = presence[session.host], present.session.number == session.number
        else { return }
        lastSeen[session.host] = present.lastSeen
        presence[session.host] = nil
        for id in order {
            guard let running = rollouts[id], concerns(running, session.host) else { continue }
            enqueue(
                .rollout(id, .disconnected(session.host, at: clock())),
                actor: "host:\(session.host)", done: nil)
        }
    }

    /// Tells a finished rollout, which heard of no connection since, who is there now.
    func refreshConnections(of id: RolloutID) async throws {
        let machine = try await machine(of: id).machine
        guard machine.isFinished else { return }
        for host in machine.planHosts {
            enqueue(
                .rollout(
                    id,
                    presence[host] != nil
                        ? .connected(host, nil, at: clock()) : .disconnected(host, at: clock())),
                actor: "host:\(host)", done: nil)
        }
    }

    /// Tells the rollout that one of its orders was refused.
    private func tell(_ refusal: Refusal, _ message: ReceivedMessage, _ session: AgentSession) {
        logger.warning(
            "a host refused an order",
            metadata: [
                "host": "\(session.host)", "reason": "\(refusal.reason)",
                "remedy": "\(refusal.remedy ?? "see its log")",
            ])
        guard let order = session.takeOrder(answeredBy: message), isKnown(order.rollout) else {
            return
        }
        let most = CoordinatorLimits.refusalBytesMax
        let short = Refusal(
            code: refusal.code.cut(toJSONBytes: 64), reason: refusal.reason.cut(toJSONBytes: most),
            remedy: refusal.remedy?.cut(toJSONBytes: most))
        enqueue(
            .rollout(
                order.rollout,
                .refused(
                    session.host, order.verb, attempt: order.attempt, short, at: clock())),
            actor: "host:\(session.host)", done: nil)
    }

    private func take(_ message: ReceivedMessage, _ session: AgentSession) async throws {
        let host = session.host
        if presence[host]?.session.number == session.number { presence[host]?.lastSeen = clock() }
        switch message.header.type {
        case .heartbeat:
            let beat = try message.body(Heartbeat.self)
            if presence[host]?.session.number == session.number {
                if !beat.metrics.isEmpty { presence[host]?.metrics = beat.metrics }
                windows.take(beat.metrics, of: host, at: clock())
                notice(beat.troubles ?? [], of: host)
            }
            session.post(.heartbeat, Heartbeat(now: clock(), metrics: [:]))
        case .report:
            try await take(
                try message.body(TransactionReport.self), bytes: message.payloadBytes, session)
        case .renew: try await renew(message, session)
        case .inspection, .checked, .points, .unsupported: session.take(answer: message)
        case .checkResult: session.take(before: message)
        case .refused:
            if session.take(answer: message) { break }
            tell(try message.body(Refusal.self), message, session)
        case .bye: session.close()
        default:
            session.post(
                .unsupported,
                Refusal(
                    code: "unsupported",
                    reason: "messages of type \(message.header.type.rawValue) are not known here"),
                re: message.header.id)
        }
    }
}
