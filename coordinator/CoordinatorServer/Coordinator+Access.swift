import FleetWire
package import OperatorAPI

extension Coordinator {
    /// Makes an enrolment token; only the hash of its secret is kept. Throws `APIFailure`.
    package func makeToken(
        _ request: TokenRequest, by name: String, authority: CertificateAuthority
    ) async throws -> TokenView {
        guard (1...10_000).contains(request.uses),
            request.lifetime >= .seconds(1), request.lifetime <= .seconds(90 * 86_400)
        else {
            throw APIFailure(
                code: "invalid", message: "a token has 1 to 10000 uses and lives 1 s to 90 days")
        }
        try APIRoutes.check(request.labels)
        let secret = Tokens.secret()
        let id = Tokens.id()
        let expires = clock() + request.lifetime
        try await record(
            .tokenMade(id: id, secret: Tokens.hash(secret), request: request, expires: expires),
            by: name)
        var view = TokenView(
            id: id, expires: expires, usesLeft: request.uses, labels: request.labels,
            revoked: false, token: nil)
        view.token = try Tokens.print(
            Tokens.Enrolment(id: id, secret: secret, ca: authority.fingerprint))
        return view
    }

    /// Makes a token for the API; only the hash of its secret is kept. Throws `APIFailure`.
    package func grantAccess(
        _ request: AccessRequest, by name: String
    ) async throws -> AccessGrant {
        let (event, grant) = try Self.newAccess(request, now: clock())
        try await record(event, by: name)
        return grant
    }

    static func newAccess(
        _ request: AccessRequest, now: Timestamp
    ) throws -> (FleetEvent, AccessGrant) {
        guard HostID(request.name) != nil, request.lifetime.map({ $0 > .zero }) ?? true else {
            throw APIFailure(
                code: "invalid",
                message: "a name has 1 to 128 letters, digits, dots, dashes and underscores, and a "
                    + "lifetime is positive")
        }
        let secret = Tokens.secret()
        let view = APITokenView(
            id: Tokens.id(), name: request.name, role: request.role,
            expires: request.lifetime.map { now + $0 })
        return (
            .accessGranted(token: view, secret: Tokens.hash(secret)),
            AccessGrant(view: view, token: Tokens.printAccess(id: view.id, secret: secret))
        )
    }
}

extension Coordinator {
    /// What is in quarantine, oldest first, and for some days what was.
    package func quarantineShown() -> [QuarantineView] {
        let now = clock()
        let shown = registry.quarantine.values.filter {
            !$0.hasEnded(at: now + Milliseconds(-CoordinatorLimits.quarantineShown.count))
        }
        return shown.map { entry in
            var entry = entry
            entry.expired = entry.hasEnded(at: now)
            return entry
        }.sorted { ($0.at, $0.digest) < ($1.at, $1.digest) }
    }
}
