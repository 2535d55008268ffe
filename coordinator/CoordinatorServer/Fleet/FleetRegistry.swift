package import FleetWire
package import OperatorAPI

/// What happened to the fleet as a whole; the journal's stream `fleet`.
package enum FleetEvent: Codable, Sendable {
    /// `key` is the digest of the host's public key.
    case enrolled(host: HostID, serial: String, ends: Timestamp, token: String, key: Digest?)
    case renewed(host: HostID, serial: String, ends: Timestamp)
    case labelled(host: HostID, change: LabelChange)
    case revoked(host: HostID, reason: String)
    case tokenMade(id: String, secret: Digest, request: TokenRequest, expires: Timestamp)
    case tokenRevoked(id: String)
    case accessGranted(token: APITokenView, secret: Digest)
    case accessRevoked(id: String)
    case quarantined(entries: [QuarantineView])
    case unquarantined(digest: Digest, reason: String?)
    /// A report on a rollout that is not known here: dropped, but counted, so that its host goes on.
    case strayReport(host: HostID, sequence: UInt64, rollout: RolloutID)
    case started(generation: Generation)
    /// An operator raised the generation of a state that was restored from an older copy.
    case generationRaised(to: Generation)
    /// An operator ordered something of the points of hosts; no host has heard of it before.
    case pointsOrdered(order: PointOrder)
    case pointsAnswered(operation: String, host: HostID, outcome: PointOutcome)
    /// A host says that something is wrong with it, and that it is not any more.
    case troubleFound(host: HostID, trouble: HostTrouble)
    case troubleEnded(host: HostID, kind: String, subject: String)
    /// No host hears of the order any more; `reason` is nil if all of them were asked.
    case pointsEnded(operation: String, reason: String?)

    /// The name under which the journal keeps it.
    package var kind: String {
        switch self {
        case .enrolled: "host_enrolled"
        case .renewed: "certificate_renewed"
        case .labelled: "host_labelled"
        case .revoked: "host_revoked"
        case .tokenMade: "token_made"
        case .tokenRevoked: "token_revoked"
        case .accessGranted: "access_granted"
        case .accessRevoked: "access_revoked"
        case .quarantined: "quarantined"
        case .unquarantined: "quarantine_lifted"
        case .strayReport: "report_dropped"
        case .started: "coordinator_started"
        case .generationRaised: "generation_raised"
        case .troubleFound: "host_trouble_found"
        case .troubleEnded: "host_trouble_ended"
        case .pointsOrdered: "points_ordered"
        case .pointsAnswered: "points_answered"
        case .pointsEnded: "points_ended"
        }
    }
}

/// All that the coordinator knows of the fleet and that survives it: the sum of its `FleetEvent`s.
/// Pure: no clock, no I/O.
package struct FleetRegistry: Sendable, Codable {
    /// One host.
    package struct Host: Sendable, Hashable, Codable {
        /// What operators say of it.
        package var labels: [String: String]
        /// Serial numbers of certificates that are valid for it: the newest, and some before it, as
        /// a host may never have got the newest ones.
        package var serials: [String]
        /// When its newest certificate ends.
        package var ends: Timestamp
        /// Why it was revoked.
        package var revoked: String?
        /// The token and the public key that it enrolled with.
        package var enrolment: Enrolment?
    }

    /// What makes two enrolments the same one, asked for twice.
    package struct Enrolment: Sendable, Hashable, Codable {
        /// The token's id.
        package var token: String
        /// The digest of the host's public key.
        package var key: Digest
    }

    /// One enrolment token.
    package struct Token: Sendable, Hashable, Codable {
        /// The hash of its secret.
        package var secret: Digest
        /// What was asked for.
        package var request: TokenRequest
        /// Until when.
        package var expires: Timestamp
        /// Hosts that it enrolled.
        package var used: Int
        /// True once it was revoked.
        package var revoked: Bool
    }

    /// One token for the API.
    package struct Access: Sendable, Hashable, Codable {
        /// What is shown of it.
        package var view: APITokenView
        /// The hash of its secret.
        package var secret: Digest
    }

    /// Certificates of one host at once; with fewer, grants that were lost on their way could lock
    /// it out.
    private static let serialsMax = 8
    /// By id.
    package private(set) var hosts: [HostID: Host] = [:]
    /// By id.
    package private(set) var tokens: [String: Token] = [:]
    /// By id.
    package private(set) var access: [String: Access] = [:]
    /// By digest.
    package private(set) var quarantine: [Digest: QuarantineView] = [:]
    /// What hosts say is wrong with them, oldest first.
    package private(set) var troubles: [HostID: [HostTrouble]] = [:]
    /// Orders about points that have not ended, by their id.
    package private(set) var pointOrders: [String: PointOrder] = [:]

    /// An empty fleet.
    package init() {}

    /// Takes the next event of the stream.
    package mutating func apply(_ event: FleetEvent) {
        switch event {
        case .enrolled(let host, let serial, let ends, let token, let key):
            if !isRepeated(host: host, token: token, key: key) { tokens[token]?.used += 1 }
            troubles[host] = nil
            let labels = tokens[token]?.request.labels ?? [:]
            let kept = hosts[host]?.labels ?? [:]
            hosts[host] = Host(
                labels: kept.merging(labels) { _, new in new }, serials: [serial], ends: ends,
                revoked: nil, enrolment: key.map { Enrolment(token: token, key: $0) })
        case .renewed(let host, let serial, let ends):
            let before = hosts[host]?.serials.prefix(Self.serialsMax - 1) ?? []
            hosts[host]?.serials = [serial] + before
            hosts[host]?.ends = ends
        case .labelled(let host, let change):
            for label in change.remove { hosts[host]?.labels[label] = nil }
            hosts[host]?.labels.merge(change.set) { _, new in new }
        case .revoked(let host, let reason):
            hosts[host]?.revoked = reason
            troubles[host] = nil
        case .tokenMade(let id, let secret, let request, let expires):
            tokens[id] = Token(
                secret: secret, request: request, expires: expires, used: 0, revoked: false)
        case .tokenRevoked(let id): tokens[id]?.revoked = true
        case .accessGranted(let token, let secret):
            access[token.id] = Access(view: token, secret: secret)
        case .accessRevoked(let id): access[id] = nil
        case .quarantined(let entries):
            for entry in entries where !Self.outlasts(quarantine[entry.digest], entry.until) {
                quarantine[entry.digest] = entry
            }
        case .unquarantined(let digest, _): quarantine[digest] = nil
        case .troubleFound(let host, let trouble): troubles[host, default: []].append(trouble)
        case .troubleEnded(let host, let kind, let subject):
            troubles[host]?.removeAll { $0.kind == kind && $0.subject == subject }
        case .pointsOrdered(let order): pointOrders[order.operation] = order
        case .pointsEnded(let operation, _): pointOrders[operation] = nil
        case .strayReport, .started, .generationRaised, .pointsAnswered: break
        }
    }

    /// Why a host with this certificate is turned away; nil if it is welcome.
    package func refusal(host: HostID, serial: String) -> String? {
        guard let known = hosts[host] else { return "host \(host) is not enrolled here" }
        if let reason = known.revoked { return "host \(host) was revoked: \(reason)" }
        guard known.serials.contains(where: { Self.sameSerial($0, serial) }) else {
            return "the certificate of \(host) was replaced by a newer one"
        }
        return nil
    }

    private static func sameSerial(_ left: String, _ right: String) -> Bool {
        left.drop { $0 == "0" } == right.drop { $0 == "0" }
    }

    /// True for a host that asks again with the same token and the same key: it may not have got
    /// the answer. That costs no further use of the token.
    private func isRepeated(host: HostID, token: String, key: Digest?) -> Bool {
        guard let key, let known = hosts[host], known.revoked == nil else { return false }
        return known.enrolment == Enrolment(token: token, key: key)
    }

    /// True if that enrolment makes another host of one that is known: what the old one held is gone.
    package func isReplaced(host: HostID, token: String, key: Digest?) -> Bool {
        hosts[host] != nil && !isRepeated(host: host, token: token, key: key)
    }

    /// Digests in quarantine that has not ended.
    package func knownBad(at now: Timestamp) -> [Digest: QuarantineView] {
        quarantine.filter { !$0.value.hasEnded(at: now) }
    }

    /// True if a known entry stands for this finding of the rollout, or longer than it.
    package static func covers(
        _ known: QuarantineView?, _ id: RolloutID, _ until: Timestamp?
    ) -> Bool {
        guard let known else { return false }
        return known.rollout == id || outlasts(known, until) || known.until == until
    }

    /// True if an entry ends later than `until`; nil is never.
    private static func outlasts(_ known: QuarantineView?, _ until: Timestamp?) -> Bool {
        guard let known, let until else { return false }
        return known.until.map { $0 > until } ?? true
    }

    /// Why a printed token does not enrol `host`; nil if it does.
    package func refusal(
        token: Tokens.Enrolment, host: HostID, key: Digest?, now: Timestamp
    ) -> Refusal? {
        guard let kept = tokens[token.id], Tokens.matches(token.secret, kept.secret) else {
            return Refusal(
                code: "bad_token", reason: "the token is not known here",
                remedy: "make a new one with `belay token create`")
        }
        return refusal(tokenID: token.id, host: host, key: key, now: now)
    }

    /// Why a token whose secret was proved does not enrol `host` any more; nil if it does.
    package func refusal(
        tokenID: String, host: HostID, key: Digest?, now: Timestamp
    ) -> Refusal? {
        let remedy = "make a new one with `belay token create`"
        guard let kept = tokens[tokenID] else {
            return Refusal(code: "bad_token", reason: "the token is not known here", remedy: remedy)
        }
        if kept.revoked {
            return Refusal(code: "bad_token", reason: "the token was revoked", remedy: remedy)
        }
        if now >= kept.expires {
            return Refusal(code: "token_expired", reason: "the token has expired", remedy: remedy)
        }
        if isRepeated(host: host, token: tokenID, key: key) { return nil }
        if kept.used >= kept.request.uses {
            return Refusal(
                code: "token_used", reason: "the token has no use left",
                remedy: remedy)
        }
        if let only = kept.request.host, only != host {
            return Refusal(
                code: "wrong_host", reason: "the token is for \(only), not for \(host)",
                remedy: remedy)
        }
        if hosts[host].map({ $0.revoked == nil }) == true, kept.request.host != host {
            return Refusal(
                code: "host_exists", reason: "a host \(host) is enrolled already",
                remedy: "revoke it first, or make a token for it: `belay token create --host "
                    + "\(host)`")
        }
        return nil
    }

    /// Who a bearer token belongs to; nil if nobody's or expired.
    package func principal(bearer: String, now: Timestamp) -> APITokenView? {
        guard let token = Tokens.readAccess(bearer), let kept = access[token.id],
            Tokens.matches(token.secret, kept.secret)
        else { return nil }
        if let expires = kept.view.expires, now >= expires { return nil }
        return kept.view
    }
}
