package import FleetWire

/// What a holder of a token may do; each role may do what the ones before it may.
package enum AccessRole: String, Codable, Sendable, Hashable, Comparable, CaseIterable {
    case viewer, `operator`, admin

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    /// Orders by what they may do.
    package static func < (left: AccessRole, right: AccessRole) -> Bool { left.rank < right.rank }
}

/// A token for the API, without its secret.
package struct APITokenView: Codable, Sendable, Hashable {
    /// Its id.
    package var id: String
    /// Whose it is; stands as actor in the journal.
    package var name: String
    /// What it may do.
    package var role: AccessRole
    /// Until when; nil means for ever.
    package var expires: Timestamp?
    /// A view of these fields.
    package init(id: String, name: String, role: AccessRole, expires: Timestamp?) {
        self.id = id
        self.name = name
        self.role = role
        self.expires = expires
    }
}

/// Asks for an enrolment token.
package struct TokenRequest: Codable, Sendable, Hashable {
    /// How long it is valid.
    package var lifetime: Milliseconds
    /// How many hosts it enrols.
    package var uses: Int
    /// Labels that its hosts get.
    package var labels: [String: String]
    /// The one host that it is for; nil means any.
    package var host: HostID?
    /// A request of these fields.
    package init(lifetime: Milliseconds, uses: Int, labels: [String: String], host: HostID?) {
        self.lifetime = lifetime
        self.uses = uses
        self.labels = labels
        self.host = host
    }
}

/// An enrolment token as it is listed.
package struct TokenView: Codable, Sendable, Hashable {
    /// Its id.
    package var id: String
    /// Until when it is valid.
    package var expires: Timestamp
    /// How many hosts it can still enrol.
    package var usesLeft: Int
    /// Labels that its hosts get.
    package var labels: [String: String]
    /// True once it was revoked.
    package var revoked: Bool
    /// The printed token; only in the answer to its making.
    package var token: String?
    /// A view of these fields.
    package init(
        id: String, expires: Timestamp, usesLeft: Int, labels: [String: String], revoked: Bool,
        token: String?
    ) {
        self.id = id
        self.expires = expires
        self.usesLeft = usesLeft
        self.labels = labels
        self.revoked = revoked
        self.token = token
    }
}

/// The body of every answer that is no success.
package struct APIFailure: Codable, Sendable, Hashable, Error {
    /// A stable name: `not_found`, `conflict`, `invalid`, `not_authorised`, `unreachable`, …
    package var code: String
    /// What was attempted, on what, why it failed.
    package var message: String
    /// What to do.
    package var remedy: String?
    /// A failure of these fields.
    package init(code: String, message: String, remedy: String? = nil) {
        self.code = code
        self.message = message
        self.remedy = remedy
    }
}

/// Asks for a token for the API.
package struct AccessRequest: Codable, Sendable, Hashable {
    /// Whose it is; stands as actor in the journal.
    package var name: String
    /// What it may do.
    package var role: AccessRole
    /// How long; nil means for ever.
    package var lifetime: Milliseconds?
    /// A request of these fields.
    package init(name: String, role: AccessRole, lifetime: Milliseconds?) {
        self.name = name
        self.role = role
        self.lifetime = lifetime
    }
}

/// A new token for the API; its secret is shown this once.
package struct AccessGrant: Codable, Sendable, Hashable {
    /// What is kept of it.
    package var view: APITokenView
    /// The printed token, `belay_<id>_<secret>`.
    package var token: String
    /// A grant of these fields.
    package init(view: APITokenView, token: String) {
        self.view = view
        self.token = token
    }
}
