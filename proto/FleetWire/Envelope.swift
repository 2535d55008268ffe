/// What every message travels in (wire-v1.md, section "Envelope"):
/// `{"type": …, "id": …, "re": …, "gen": …, "body": {…}}`. Unknown fields are ignored.
package struct Envelope<Body: Codable & Sendable>: Codable, Sendable {
    /// The name of the body's type.
    package var type: MessageType
    /// The sender's id for this message; a request is idempotent by it.
    package var id: String
    /// The id of the message that this one answers.
    package var re: String?
    /// The coordinator's generation; nil from an agent.
    package var gen: Generation?
    /// The content.
    package var body: Body

    /// An envelope around `body`.
    package init(
        _ type: MessageType, id: String, re: String? = nil, gen: Generation? = nil, body: Body
    ) {
        self.type = type
        self.id = id
        self.re = re
        self.gen = gen
        self.body = body
    }

    /// The payload of one frame; throws what the encoder throws.
    package func payload() throws -> [UInt8] { try WireJSON.encode(self) }
}

/// The part of an envelope that says how to read the rest.
package struct EnvelopeHeader: Codable, Sendable {
    /// The name of the body's type; unknown names are kept, to be answered `unsupported`.
    package var type: MessageType
    /// The sender's id for this message.
    package var id: String
    /// The id of the message that this one answers.
    package var re: String?
    /// The coordinator's generation.
    package var gen: Generation?
}

/// A payload whose header is read and whose body waits for its type.
package struct ReceivedMessage: Sendable {
    /// Type, ids and generation.
    package let header: EnvelopeHeader
    private let payload: [UInt8]
    private let limits: FrameLimits

    /// Reads the header; throws `FrameError` for bytes that are no envelope.
    package init(payload: [UInt8], limits: FrameLimits = .v1) throws(FrameError) {
        do {
            header = try WireJSON.decode(EnvelopeHeader.self, from: payload, limits: limits)
        } catch let error as FrameError {
            throw error
        } catch {
            throw .notAnEnvelope("\(error)")
        }
        guard !header.id.isEmpty, header.id.utf8.count <= 128 else {
            throw .notAnEnvelope("the id must be 1 to 128 bytes")
        }
        self.payload = payload
        self.limits = limits
    }

    /// The payload's size in bytes, which bounds what keeping the message costs.
    package var payloadBytes: Int { payload.count }

    /// Reads the body as `type`; throws `FrameError.badBody`.
    package func body<Body: Codable & Sendable>(_ type: Body.Type) throws(FrameError) -> Body {
        do {
            return try WireJSON.decode(Envelope<Body>.self, from: payload, limits: limits).body
        } catch {
            throw .badBody(type: header.type.rawValue, "\(error)")
        }
    }
}

/// The names of the bodies; see each body's type for who sends it.
package struct MessageType: RawRepresentable, Codable, Hashable, Sendable {
    /// The name on the wire.
    package let rawValue: String
    /// Any name, known or not.
    package init(rawValue: String) { self.rawValue = rawValue }
    /// Decodes a plain string.
    package init(from decoder: any Decoder) throws {
        rawValue = try decoder.singleValueContainer().decode(String.self)
    }
    /// Encodes as a plain string.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }

    /// Agent, first on a connection: `Hello`.
    package static let hello = MessageType(rawValue: "hello")
    /// Coordinator, in answer to hello: `Welcome`.
    package static let welcome = MessageType(rawValue: "welcome")
    /// Both ways: `Heartbeat`.
    package static let heartbeat = MessageType(rawValue: "heartbeat")
    /// Coordinator: `TransactionOrder`.
    package static let order = MessageType(rawValue: "order")
    /// Agent, resent until acknowledged: `TransactionReport`.
    package static let report = MessageType(rawValue: "report")
    /// Coordinator, once reports are durable: `Acknowledgement`.
    package static let acknowledge = MessageType(rawValue: "acknowledge")
    /// Coordinator asks `InspectRequest`; the answer is `inspection`.
    package static let inspect = MessageType(rawValue: "inspect")
    /// Agent: `Inspection`.
    package static let inspection = MessageType(rawValue: "inspection")
    /// Coordinator asks `CheckRequest`; the answer is `checked`.
    package static let check = MessageType(rawValue: "check")
    /// Agent, before `checked` if the request asks for it: one `CheckResult`.
    package static let checkResult = MessageType(rawValue: "check_result")
    /// Agent: `CheckReply`.
    package static let checked = MessageType(rawValue: "checked")
    /// Coordinator asks `PointRequest`; the answer is `points`.
    package static let point = MessageType(rawValue: "point")
    /// Agent: `PointReply`.
    package static let points = MessageType(rawValue: "points")
    /// Agent asks `RenewRequest`; the answer is `certificate`.
    package static let renew = MessageType(rawValue: "renew")
    /// Host without a certificate, on ALPN `belay-enroll/1`: `EnrolRequest`.
    package static let enrol = MessageType(rawValue: "enrol")
    /// Coordinator, in answer to renew and enrol: `CertificateGrant`.
    package static let certificate = MessageType(rawValue: "certificate")
    /// Either, in answer to what cannot be done: `Refusal`.
    package static let refused = MessageType(rawValue: "refused")
    /// Either, in answer to an unknown type: `Refusal`.
    package static let unsupported = MessageType(rawValue: "unsupported")
    /// Either, last on a connection: `Farewell`.
    package static let bye = MessageType(rawValue: "bye")
}
