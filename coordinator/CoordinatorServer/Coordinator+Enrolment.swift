import FleetTransport
package import FleetWire
import Logging
import OperatorAPI

extension Coordinator {
    /// Serves a host that has no certificate: one request, one answer.
    func enrol(_ connection: FleetConnection) async {
        defer { connection.close() }
        do {
            var payloads = connection.inbound.makeAsyncIterator()
            guard let payload = try await payloads.next() else { return }
            let message = try ReceivedMessage(payload: payload)
            let answer = await answer(message, from: connection.address)
            try await connection.send(answer)
            // The host closes once it has the answer; closing first could cut it off.
            _ = try await payloads.next()
        } catch {
            logger.warning(
                "enrolment ended",
                metadata: ["peer": "\(connection.address)", "reason": "\(error)"])
        }
    }

    private func answer(_ message: ReceivedMessage, from address: String) async -> [UInt8] {
        do {
            guard message.header.type == .enrol else {
                throw Refusal(code: "unsupported", reason: "a host without certificate may enrol")
            }
            let request = try message.body(EnrolRequest.self)
            let grant = try await enrol(request)
            logger.notice(
                "host enrolled", metadata: ["host": "\(request.host)", "peer": "\(address)"])
            return try Envelope(
                .certificate, id: "e1", re: message.header.id, gen: generation, body: grant
            ).payload()
        } catch {
            let refusal = Self.refusal(for: error)
            logger.warning(
                "enrolment refused",
                metadata: ["peer": "\(address)", "reason": "\(refusal.reason)"])
            let envelope = Envelope(
                .refused, id: "e1", re: message.header.id, gen: generation, body: refusal)
            return (try? envelope.payload()) ?? []
        }
    }

    static func refusal(for error: any Error) -> Refusal {
        switch error {
        case let refusal as Refusal: refusal
        case let failure as APIFailure:
            Refusal(code: failure.code, reason: failure.message, remedy: failure.remedy)
        case let frame as FrameError: Refusal(code: "bad_request", reason: frame.reason)
        default: Refusal(code: "bad_request", reason: "\(error)")
        }
    }

    /// Checks the token, issues a certificate and returns it once the enrolment is durable; the
    /// token's use is counted at that moment, however many hosts come at the same time.
    /// Throws `Refusal`.
    package func enrol(_ request: EnrolRequest) async throws -> CertificateGrant {
        let authority = try issuer()
        guard let token = Tokens.readEnrolment(request.token) else {
            throw Refusal(
                code: "bad_token", reason: "that is no enrolment token",
                remedy: "make one with `belay token create`")
        }
        let now = clock()
        if let refusal = registry.refusal(token: token, host: request.host, now: now) {
            throw refusal
        }
        let issued = try authority.issue(
            host: request.host, request: request.csr, lifetime: hostCertificate, now: now)
        try await submit(
            .fleet(
                .enrolled(
                    host: request.host, serial: issued.serial, ends: issued.ends, token: token.id)),
            actor: "host:\(request.host)")
        return CertificateGrant(
            certificate: issued.certificate, authority: authority.certificatePEM)
    }

    /// Gives a connected host its next certificate; the old one stays valid until it shows the new.
    func renew(_ message: ReceivedMessage, _ session: AgentSession) async throws {
        let request = try message.body(RenewRequest.self)
        do {
            let authority = try issuer()
            let issued = try authority.issue(
                host: session.host, request: request.csr,
                lifetime: hostCertificate, now: clock())
            try await submit(
                .fleet(.renewed(host: session.host, serial: issued.serial, ends: issued.ends)),
                actor: "host:\(session.host)")
            session.post(
                .certificate,
                CertificateGrant(
                    certificate: issued.certificate, authority: authority.certificatePEM),
                re: message.header.id)
        } catch {
            logger.warning(
                "renewal refused", metadata: ["host": "\(session.host)", "reason": "\(error)"])
            session.post(.refused, Self.refusal(for: error), re: message.header.id)
        }
    }

    private func issuer() throws -> CertificateAuthority {
        guard let authority else {
            throw Refusal(code: "failed", reason: "this coordinator issues no certificates")
        }
        return authority
    }

    /// All sessions are told that the coordinator goes.
    func dismissAll() {
        for (index, present) in presence.values.enumerated() {
            present.session.close(
                farewell: Farewell(
                    reason: "the coordinator is stopping",
                    retryAfter: Milliseconds(500 + Int64(index % 50) * 20)))
        }
    }

    /// Returns once all sessions have ended, or after `within`.
    func waitUntilEmpty(within: Milliseconds) async {
        let deadline = ContinuousClock.now + within.duration
        while !presence.isEmpty, ContinuousClock.now < deadline, !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(20))
        }
    }
}
