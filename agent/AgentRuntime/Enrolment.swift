import FleetTransport
package import FleetWire
import FoundationEssentials
import NIOPosix

/// Makes a host part of a fleet: pins the authority, makes the key here, stores the certificate.
package enum Enrolment {
    /// What a printed token says.
    private struct Token: Codable {
        var id: String
        var secret: String
        var ca: Digest
    }

    /// Enrols `host`; the state is whole and durable on return, or untouched.
    /// Throws `AgentError` with what to do.
    package static func enrol(
        _ state: StateDirectory, coordinator: String, host: HostID, token text: String
    ) async throws {
        let configuration = AgentConfiguration(coordinator: coordinator, host: host)
        let address = try configuration.address()
        let token = try read(text)
        try state.make()
        try state.requirePrivate()
        guard let lock = try FileLock.take(state.file("agent.lock"), within: 1) else {
            throw AgentError(
                "an agent runs on \(state.path)", remedy: "stop it first", exitCode: 14)
        }
        defer { withExtendedLifetime(lock) {} }
        let request = try CertificateRequest(for: host)
        let connection: FleetConnection
        do {
            connection = try await FleetConnector(
                host: address.host, port: address.port,
                group: AgentThreads.loop
            ).connect(try TLSContext.enrolling(pinned: token.ca))
        } catch TLSError.time(let why) {
            throw AgentError(
                "the certificate of \(coordinator) is not valid now: \(why)",
                remedy: "set this host's clock, best by NTP; a coordinator renews its certificate "
                    + "when it starts", exitCode: 12)
        } catch let error as TLSError {
            throw AgentError(
                "\(coordinator) is not the coordinator of this token: \(error)",
                remedy: "check the address, or make a new token there", exitCode: 12)
        } catch {
            throw AgentError(
                "\(coordinator) cannot be reached: \(error)",
                remedy: "check the address, the firewall, and that the coordinator runs",
                exitCode: 4)
        }
        defer { connection.close() }
        let asked = Envelope(
            .enrol, id: "e1", body: EnrolRequest(token: text, host: host, csr: request.request))
        try await connection.send(try asked.payload())
        let grant = try await answer(connection)
        let identity = try CertificateRequest.describe(certificate: grant.certificate)
        guard identity.host == host else {
            throw AgentError("the coordinator's certificate is for another host", exitCode: 3)
        }
        try HostIdentity.store(key: request.key, grant, state)
        try state.write(try WireJSON.encode(configuration), to: "agent.json")
    }

    private static func answer(_ connection: FleetConnection) async throws -> CertificateGrant {
        for try await payload in connection.inbound {
            let message = try ReceivedMessage(payload: payload)
            switch message.header.type {
            case .certificate: return try message.body(CertificateGrant.self)
            case .refused:
                let refusal = try message.body(Refusal.self)
                throw AgentError(
                    "enrolment was refused: \(refusal.reason)",
                    remedy: refusal.remedy ?? "make a new token with `belay token create`",
                    exitCode: 12)
            default: continue
            }
        }
        throw AgentError(
            "the coordinator closed without an answer", remedy: "see its log", exitCode: 4)
    }

    private static func read(_ text: String) throws -> Token {
        let prefix = "belay-enroll-v1."
        var plain = text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : ""
        plain = String(
            plain.map { character -> Character in
                switch character {
                case "-": "+"
                case "_": "/"
                default: character
                }
            })
        plain += String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4)
        guard !plain.isEmpty, text.utf8.count < 2048, let data = Data(base64Encoded: plain),
            let token = try? WireJSON.decode(Token.self, from: Array(data))
        else {
            throw AgentError(
                "the token is malformed",
                remedy: "copy the whole line that `belay token create` prints", exitCode: 3)
        }
        return token
    }
}
