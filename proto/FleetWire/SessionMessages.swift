/// Bodies that open, keep and close a session.

/// The agent's first message.
package struct Hello: Codable, Sendable, Hashable {
    /// Wire versions that the agent speaks, at least one.
    package var versions: [Int]
    /// Optional features that it knows.
    package var features: [String]
    /// The agent's version, for people.
    package var agentVersion: String
    /// What the agent found on the host: `kernel`, `arch`, `hostname`, `memory_bytes`, …
    package var facts: [String: String]
    /// The host's wall clock, to notice skew.
    package var now: Timestamp
    /// The highest generation that it has seen.
    package var generation: Generation
    /// The largest frame payload that it takes, in bytes.
    package var payloadBytesMax: Int
    /// The transaction that stands open on the host, if any.
    package var open: OpenTransaction?
    /// A hello of these fields.
    package init(
        versions: [Int], features: [String], agentVersion: String, facts: [String: String],
        now: Timestamp, generation: Generation, payloadBytesMax: Int, open: OpenTransaction?
    ) {
        self.versions = versions
        self.features = features
        self.agentVersion = agentVersion
        self.facts = facts
        self.now = now
        self.generation = generation
        self.payloadBytesMax = payloadBytesMax
        self.open = open
    }
}

/// Where a host's open transaction stands, said at each reconnect.
package struct OpenTransaction: Codable, Sendable, Hashable {
    /// The rollout that it belongs to.
    package var rollout: RolloutID
    /// The attempt within the rollout, from 1.
    package var attempt: Int
    /// The latest report's kind.
    package var latest: ReportKind
    /// An open transaction of these fields.
    package init(rollout: RolloutID, attempt: Int, latest: ReportKind) {
        self.rollout = rollout
        self.attempt = attempt
        self.latest = latest
    }
}

/// The coordinator's answer to hello.
package struct Welcome: Codable, Sendable, Hashable {
    /// The version chosen.
    package var version: Int
    /// The features that both know.
    package var features: [String]
    /// The host's id as its certificate gives it.
    package var host: HostID
    /// Heartbeats are due this often; three missed close the connection.
    package var heartbeatEvery: Milliseconds
    /// The largest frame payload that the coordinator takes, in bytes.
    package var payloadBytesMax: Int
    /// The coordinator's wall clock.
    package var now: Timestamp
    /// Reports up to this sequence number are already durable.
    package var acknowledged: UInt64
    /// A welcome of these fields.
    package init(
        version: Int, features: [String], host: HostID, heartbeatEvery: Milliseconds,
        payloadBytesMax: Int, now: Timestamp, acknowledged: UInt64
    ) {
        self.version = version
        self.features = features
        self.host = host
        self.heartbeatEvery = heartbeatEvery
        self.payloadBytesMax = payloadBytesMax
        self.now = now
        self.acknowledged = acknowledged
    }
}

/// Says that the sender lives; an agent's carries its newest metrics.
package struct Heartbeat: Codable, Sendable, Hashable {
    /// The sender's wall clock.
    package var now: Timestamp
    /// Metric name to value, in Prometheus base units; empty from the coordinator.
    package var metrics: [String: Double]
    /// What is wrong with the host itself and stays so until somebody mends it; nil when nothing
    /// is. Each heartbeat carries all of it, so the receiver records what came and what went.
    package var troubles: [HostTrouble]?
    /// A heartbeat of these fields.
    package init(now: Timestamp, metrics: [String: Double], troubles: [HostTrouble]? = nil) {
        self.now = now
        self.metrics = metrics
        self.troubles = troubles
    }
}

/// Something on a host that an operator has to look at.
package struct HostTrouble: Codable, Sendable, Hashable {
    /// A stable name: `point_damaged`, `store_damaged`, `half_restored`, `scrub_failed`; others may
    /// come.
    package var kind: String
    /// What it is about: a point's id.
    package var subject: String
    /// What was found and what to do, in words.
    package var text: String
    /// When it was found, by the host's clock.
    package var since: Timestamp
    /// A trouble of these fields.
    package init(kind: String, subject: String, text: String, since: Timestamp) {
        self.kind = kind
        self.subject = subject
        self.text = text
        self.since = since
    }
}

/// The last message on a connection.
package struct Farewell: Codable, Sendable, Hashable {
    /// Why, in words.
    package var reason: String
    /// Do not reconnect before this span.
    package var retryAfter: Milliseconds?
    /// A farewell of these fields.
    package init(reason: String, retryAfter: Milliseconds?) {
        self.reason = reason
        self.retryAfter = retryAfter
    }
}

/// Why a request was not carried out.
package struct Refusal: Codable, Sendable, Hashable, Error {
    /// A stable name: `stale_generation`, `busy`, `bad_token`, `wrong_host`, `not_found`, `failed`, …
    package var code: String
    /// What was attempted and why it failed.
    package var reason: String
    /// What an operator can do.
    package var remedy: String?
    /// A refusal of these fields.
    package init(code: String, reason: String, remedy: String? = nil) {
        self.code = code
        self.reason = reason
        self.remedy = remedy
    }
}

/// Reports up to and with this sequence number are durable at the coordinator.
package struct Acknowledgement: Codable, Sendable, Hashable {
    /// The highest sequence number that is durable.
    package var upTo: UInt64
    /// An acknowledgement up to `upTo`.
    package init(upTo: UInt64) { self.upTo = upTo }
}

/// A host without a certificate asks for one.
package struct EnrolRequest: Codable, Sendable, Hashable {
    /// The printed enrolment token.
    package var token: String
    /// The id that the host would like.
    package var host: HostID
    /// Its certificate request, PEM.
    package var csr: String
    /// An enrolment request of these fields.
    package init(token: String, host: HostID, csr: String) {
        self.token = token
        self.host = host
        self.csr = csr
    }
}

/// An enrolled host asks for its next certificate.
package struct RenewRequest: Codable, Sendable, Hashable {
    /// The certificate request, PEM.
    package var csr: String
    /// A renewal of this request.
    package init(csr: String) { self.csr = csr }
}

/// A certificate for the host.
package struct CertificateGrant: Codable, Sendable, Hashable {
    /// The host's certificate, PEM.
    package var certificate: String
    /// The authority's certificate, PEM.
    package var authority: String
    /// A grant of these certificates.
    package init(certificate: String, authority: String) {
        self.certificate = certificate
        self.authority = authority
    }
}
