import FleetWire
import Hummingbird
import OperatorAPI

extension APIRoutes {
    static let access: [APIRoute] = [
        APIRoute(.get, "/v1/tokens", .admin) { _, _, api in
            let known = api.coordinator.directory.snapshot.tokens
            let views = known.map { TokenView(id: $0.key, token: $0.value) }
            return try APIAnswer.json(views.sorted { ($0.expires, $0.id) < ($1.expires, $1.id) })
        },
        APIRoute(.post, "/v1/tokens", .admin) { request, context, api in
            let wanted = try await request.json(TokenRequest.self)
            let view = try await api.coordinator.makeToken(
                wanted, by: context.caller().name, authority: api.authority)
            return try APIAnswer.json(view, status: .created)
        },
        APIRoute(.delete, "/v1/tokens/{id}", .admin) { _, context, api in
            try await api.coordinator.record(
                .tokenRevoked(id: context.parameters.get("id") ?? ""), by: context.caller().name)
            return Response(status: .noContent)
        },
        APIRoute(.get, "/v1/access", .admin) { _, _, api in
            let known = api.coordinator.directory.snapshot.access.values.map(\.view)
            return try APIAnswer.json(known.sorted { ($0.name, $0.id) < ($1.name, $1.id) })
        },
        APIRoute(.post, "/v1/access", .admin) { request, context, api in
            let wanted = try await request.json(AccessRequest.self)
            let grant = try await api.coordinator.grantAccess(wanted, by: context.caller().name)
            return try APIAnswer.json(grant, status: .created)
        },
        APIRoute(.delete, "/v1/access/{id}", .admin) { _, context, api in
            try await api.coordinator.record(
                .accessRevoked(id: context.parameters.get("id") ?? ""), by: context.caller().name)
            return Response(status: .noContent)
        },
    ]
}

extension TokenView {
    init(id: String, token: FleetRegistry.Token) {
        self.init(
            id: id, expires: token.expires, usesLeft: max(0, token.request.uses - token.used),
            labels: token.request.labels, revoked: token.revoked, token: nil)
    }
}
