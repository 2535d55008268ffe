import FleetTransport
package import FleetWire
import Logging
import RolloutCore

extension Coordinator {
    /// Why a host with this certificate is turned away; nil if it is welcome.
    package func refusal(host: HostID, serial: String) -> String? {
        registry.refusal(host: host, serial: serial)
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
                session.close()
            }
            await group.waitForAll()
        }
        left(session)
    }

    private func read(_ connection: FleetConnection, _ session: AgentSession) async {
        do {
            var greeted = false
            for try await payload in connection.inbound {
                let message = try ReceivedMessage(payload: payload)
                if greeted {
                    try await take(message, session)
                } else if message.header.type == .hello {
                    greeted = try greet(message, session)
                    guard greeted else { return }
                    try await announce(message.body(Hello.self), session)
                } else {
                    session.close(farewell: Farewell(reason: "say hello first", retryAfter: nil))
                    return
                }
            }
        } catch let error as FrameError {
            logger.warning(
                "connection closed",
                metadata: ["host": "\(session.host)", "reason": "\(error.reason)"])
            session.close(farewell: Farewell(reason: error.reason, retryAfter: .seconds(5)))
        } catch {
            logger.info(
                "connection ended", metadata: ["host": "\(session.host)", "reason": "\(error)"])
        }
    }

    private func greet(_ message: ReceivedMessage, _ session: AgentSession) throws -> Bool {
        let hello = try message.body(Hello.self)
        let now = clock()
        guard hello.versions.contains(1) else {
            session.post(
                .refused,
                Refusal(
                    code: "version", reason: "this coordinator speaks wire version 1",
                    remedy: "update the agent"), re: message.header.id)
            session.close(farewell: Farewell(reason: "no common version", retryAfter: .seconds(60)))
            return false
        }
        if hello.generation > generation {
            logger.critical(
                "a host has seen a newer coordinator; its orders will be refused",
                metadata: ["host": "\(session.host)", "seen": "\(hello.generation.rawValue)"])
        }
        presence[session.host]?.session.close(
            farewell: Farewell(reason: "replaced by a newer connection", retryAfter: .seconds(1)))
        let skew = hello.now.since(now)
        if abs(skew.count) > CoordinatorLimits.skewMax.count {
            logger.warning(
                "clock skew",
                metadata: ["host": "\(session.host)", "milliseconds": "\(skew.count)"])
        }
        presence[session.host] = Presence(
            session: session, facts: hello.facts, agentVersion: hello.agentVersion, skew: skew,
            lastSeen: now)
        session.post(
            .welcome,
            Welcome(
                version: 1, features: [], host: session.host,
                heartbeatEvery: CoordinatorLimits.heartbeatEvery,
                payloadBytesMax: FrameLimits.v1.payloadBytesMax, now: now,
                acknowledged: reported[session.host] ?? 0), re: message.header.id)
        return true
    }

    private func announce(_ hello: Hello, _ session: AgentSession) async throws {
        for id in order {
            guard let running = rollouts[id], concerns(running, session.host) else { continue }
            enqueue(
                .rollout(id, .connected(session.host, hello.open, at: clock())),
                actor: "host:\(session.host)", done: nil)
        }
    }

    private func concerns(_ running: Running, _ host: HostID) -> Bool {
        guard let plan = running.machine.definition?.plan else { return false }
        return !running.machine.isFinished && plan.hosts.contains { $0.id == host }
    }

    private func left(_ session: AgentSession) {
        guard presence[session.host]?.session.number == session.number else { return }
        presence[session.host] = nil
        for id in order {
            guard let running = rollouts[id], concerns(running, session.host) else { continue }
            enqueue(
                .rollout(id, .disconnected(session.host, at: clock())),
                actor: "host:\(session.host)", done: nil)
        }
    }

    private func take(_ message: ReceivedMessage, _ session: AgentSession) async throws {
        let host = session.host
        if presence[host]?.session.number == session.number { presence[host]?.lastSeen = clock() }
        switch message.header.type {
        case .heartbeat:
            let beat = try message.body(Heartbeat.self)
            if !beat.metrics.isEmpty { presence[host]?.metrics = beat.metrics }
            session.post(.heartbeat, Heartbeat(now: clock(), metrics: [:]))
        case .report: try await take(try message.body(TransactionReport.self), session)
        case .renew: try await renew(message, session)
        case .inspection, .checked, .points, .refused, .unsupported: session.take(answer: message)
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

    /// A report is acknowledged once it is durable, and counted once however often it comes.
    private func take(_ report: TransactionReport, _ session: AgentSession) async throws {
        let known = reported[session.host] ?? 0
        if report.sequence == known + 1 {
            if rollouts[report.rollout] != nil {
                try await submit(
                    .rollout(report.rollout, .reported(session.host, report, at: clock())),
                    actor: "host:\(session.host)")
            } else {
                logger.warning(
                    "report on an unknown rollout",
                    metadata: ["host": "\(session.host)", "rollout": "\(report.rollout)"])
                reported[session.host] = report.sequence
            }
        } else if report.sequence > known + 1 {
            logger.warning(
                "reports are missing; waiting for them",
                metadata: ["host": "\(session.host)", "have": "\(known)"])
            return
        }
        session.post(.acknowledge, Acknowledgement(upTo: reported[session.host] ?? 0))
    }

    private func renew(_ message: ReceivedMessage, _ session: AgentSession) async throws {
        let request = try message.body(RenewRequest.self)
        do {
            let grant = try await grant(
                host: session.host, request: request.csr,
                event: { .renewed(host: session.host, serial: $0, ends: $1) })
            session.post(.certificate, grant, re: message.header.id)
        } catch {
            session.post(
                .refused, Refusal(code: "failed", reason: "\(error)"), re: message.header.id)
        }
    }
}
