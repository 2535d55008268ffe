import AgentCore
import FleetTransport
import FleetWire
import HostMetrics
import Logging
import NIOCore
import NIOPosix

/// The agent's sessions with the coordinator: one at a time, dialled again for ever.
extension Agent {
    /// The first and the longest pause before dialling again; jitter takes any part of it.
    private static let backoffFirst = Milliseconds(500)
    private static let backoffMax = Milliseconds.seconds(30)
    /// The pause after orders were refused for want of a journal.
    private static let journalPause = Milliseconds.seconds(3)
    /// How often a heartbeat looks whether the welcome came.
    private static let welcomeLooks = Milliseconds.seconds(1)

    func connector() throws -> FleetConnector {
        let address = try configuration.address()
        return FleetConnector(
            host: address.host, port: address.port,
            group: AgentThreads.loop)
    }

    /// What a download needs.
    func blobs() throws -> (FleetConnector, TLSContext) {
        (try connector(), try currentIdentity().blobs)
    }

    /// A transaction's plan, with the labels and variables of its services.
    func plan(of rollout: RolloutID?) -> HostPlan? {
        machine.transactions.last { $0.plan.rollout == rollout }?.plan
    }

    /// The artifacts that an open transaction, or another attempt of the newest, can need.
    var artifactsNeeded: Set<Digest> {
        let newest = machine.transactions.last.map { [$0] } ?? []
        let open = machine.transactions.filter(\.isOpen)
        return Set((open + newest).flatMap(\.plan.artifacts).map(\.digest))
    }

    /// A transaction's attempt.
    func attempt(of rollout: RolloutID) -> Int? {
        machine.transactions.last { $0.plan.rollout == rollout }?.attempt
    }

    private func currentIdentity() throws -> HostIdentity {
        if let identity { return identity }
        let fresh = try HostIdentity(state)
        guard fresh.peer.host == configuration.host else {
            throw AgentError(
                "host.pem is not the certificate of \(configuration.host)",
                remedy: "enrol this host again", exitCode: 3)
        }
        identity = fresh
        return fresh
    }

    func runSessions() async throws {
        let connector = try connector()
        _ = try currentIdentity()
        var backoff = Self.backoffFirst
        while !Task.isCancelled {
            let dialled = epoch
            var pause: Milliseconds?
            do {
                let connection = try await connector.connect(try currentIdentity().frames)
                let outbox = SessionOutbox(connection)
                pause = await serve(outbox, dialled)
            } catch {
                logger.warning(
                    "the coordinator cannot be reached",
                    metadata: ["at": "\(configuration.coordinator)", "reason": "\(error)"])
            }
            if isWelcomed { backoff = Self.backoffFirst }
            if !isWelcomed { complainOfExpiry() }
            isWelcomed = false
            if hasRefusedForJournal { pause = Self.journalPause }
            hasRefusedForJournal = false
            if dialled != epoch { continue }
            let jitter = Milliseconds(Int64.random(in: 0...backoff.count))
            try? await Task.sleep(for: ((pause ?? .zero) + jitter).duration)
            backoff = min(Self.backoffMax, Milliseconds(backoff.count * 2))
        }
    }

    private func complainOfExpiry() {
        guard let ends = identity?.peer.notAfter, HostClock.now() > ends else { return }
        logger.error(
            "this host's certificate has ended",
            metadata: [
                "ended": "\(ends)",
                "remedy":
                    "if the clock is right, stop this agent and enrol anew: belay-agent enroll",
            ])
    }

    /// Serves one connection; gives the pause that the coordinator asked for.
    private func serve(_ outbox: SessionOutbox, _ dialled: Int) async -> Milliseconds? {
        guard dialled == epoch else {
            outbox.drop()
            return nil
        }
        outbox.post(
            .hello,
            Hello(
                versions: [1], features: [], agentVersion: AgentVersion.text,
                facts: HostFacts.gather(), now: HostClock.now(), generation: machine.generation,
                payloadBytesMax: FrameLimits.v1.payloadBytesMax, open: machine.openForHello))
        asked = nil
        let pause = await withTaskGroup(of: Milliseconds?.self) { group in
            group.addTask {
                await outbox.run()
                return nil
            }
            group.addTask {
                await self.beat(outbox)
                return nil
            }
            group.addTask {
                await self.renew(outbox)
                return nil
            }
            group.addTask { await self.read(outbox, dialled) }
            var pause: Milliseconds?
            while let ended = await group.next() {
                outbox.drop()
                group.cancelAll()
                if let ended { pause = ended }
            }
            return pause
        }
        if session === outbox {
            session = nil
            handle(.disconnected)
        }
        return pause
    }

    private func read(_ outbox: SessionOutbox, _ dialled: Int) async -> Milliseconds? {
        await withTaskGroup(of: Void.self) { questions in
            var pause: Milliseconds?
            do {
                for try await payload in outbox.connection.inbound {
                    outbox.hear()
                    let message = try ReceivedMessage(payload: payload)
                    if message.header.type == .bye {
                        let farewell = try message.body(Farewell.self)
                        logger.info("farewell", metadata: ["reason": "\(farewell.reason)"])
                        pause = farewell.retryAfter
                        break
                    }
                    if try take(message, outbox, dialled) { continue }
                    questions.addTask { await self.answer(message, outbox) }
                }
            } catch let error as FrameError {
                logger.warning("connection closed", metadata: ["reason": "\(error.reason)"])
            } catch {
                logger.info("connection ended", metadata: ["reason": "\(error)"])
            }
            questions.cancelAll()
            return pause
        }
    }

    /// Takes what needs no answer; false for a question.
    private func take(
        _ message: ReceivedMessage, _ outbox: SessionOutbox, _ dialled: Int
    ) throws -> Bool {
        switch message.header.type {
        case .welcome: welcome(message, try message.body(Welcome.self), outbox, dialled)
        case .heartbeat: break
        case .order where session === outbox:
            handle(
                .order(
                    try message.body(TransactionOrder.self),
                    generation: message.header.gen ?? Generation(rawValue: 0),
                    message: message.header.id))
        case .acknowledge:
            handle(.acknowledged(upTo: try message.body(Acknowledgement.self).upTo))
        case .certificate:
            renewed(try message.body(CertificateGrant.self), askedBy: message.header.re)
        case .refused, .unsupported:
            let refusal = try message.body(Refusal.self)
            logger.warning("refused by the coordinator", metadata: ["reason": "\(refusal.reason)"])
        default: return false
        }
        return true
    }

    private func welcome(
        _ message: ReceivedMessage, _ welcome: Welcome, _ outbox: SessionOutbox, _ dialled: Int
    ) {
        guard welcome.host == configuration.host, dialled == epoch else {
            outbox.drop()
            return
        }
        isWelcomed = true
        session = outbox
        heartbeatEvery = welcome.heartbeatEvery
        if let generation = message.header.gen, generation > machine.generation {
            handle(.term(generation))
        }
        if welcome.acknowledged > 0 { handle(.acknowledged(upTo: welcome.acknowledged)) }
        logger.info("connected", metadata: ["to": "\(configuration.coordinator)"])
        // Nothing may be reported as verified that the guard took back meanwhile.
        seeGuard()
        handle(.connected)
    }

    // MARK: - Heartbeats and renewal

    private func beat(_ outbox: SessionOutbox) async {
        var sampler = HostSampler(root: state.rootDirectory)
        while !Task.isCancelled {
            // The welcome names the pause; one begun before it may be far too long.
            let pause =
                session === outbox ? heartbeatEvery : min(heartbeatEvery, Self.welcomeLooks)
            try? await Task.sleep(for: pause.duration)
            if Task.isCancelled { return }
            if outbox.silence.count > heartbeatEvery.count * 3 {
                logger.warning("the coordinator is silent; dialling again")
                return
            }
            guard session === outbox else { continue }
            let metrics = sampler.sample().merging(operations.samples) { host, _ in host }
                .merging(pointSamples) { host, _ in host }
            let troubles = troubles
            outbox.post(
                .heartbeat,
                Heartbeat(
                    now: HostClock.now(), metrics: metrics,
                    troubles: troubles.isEmpty ? nil : troubles))
        }
    }

    /// Asks for the next certificate when it is time, and again when nothing came of it.
    private func renew(_ outbox: SessionOutbox) async {
        while !Task.isCancelled {
            let pause = (try? currentIdentity())?.pauseBeforeRenewal(at: HostClock.now())
            try? await Task.sleep(for: (pause ?? .seconds(60)).duration)
            guard !Task.isCancelled, session === outbox, let identity = try? currentIdentity(),
                HostClock.now() >= identity.renewal
            else { continue }
            do {
                let request = try CertificateRequest(for: configuration.host)
                let message = outbox.post(.renew, RenewRequest(csr: request.request))
                asked = (message, request.key)
            } catch {
                logger.error("no request for a new certificate", metadata: ["reason": "\(error)"])
            }
        }
    }

    private func renewed(_ grant: CertificateGrant, askedBy message: String?) {
        guard let asked, asked.message == message else { return }
        self.asked = nil
        do {
            try HostIdentity.store(key: asked.key, grant, state)
            identity = nil
            logger.info("the certificate was renewed")
        } catch {
            logger.error("the new certificate cannot be stored", metadata: ["why": "\(error)"])
        }
    }
}

/// The agent's version, for people.
package enum AgentVersion {
    /// As printed.
    package static let text = "0.1.0"
}
