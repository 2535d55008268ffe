import FleetWire
import Hummingbird
import OperatorAPI
import RolloutPlan

extension APIRoutes {
    static let fleet: [APIRoute] = [
        APIRoute(.get, "/v1/hosts", .viewer) { request, _, api in
            let hosts = await api.coordinator.hosts()
            guard let text = request.text("selector"), !text.isEmpty else {
                return try APIAnswer.json(hosts)
            }
            let selector = try Selector(asked: text)
            return try APIAnswer.json(hosts.filter { selector.matches($0.labels) })
        },
        APIRoute(.get, "/v1/hosts/{id}", .viewer) { _, context, api in
            try APIAnswer.json(await api.coordinator.host(context.identifier(HostID.self)))
        },
        APIRoute(.patch, "/v1/hosts/{id}/labels", .operator) { request, context, api in
            let id = try context.identifier(HostID.self)
            let change = try await request.json(LabelChange.self)
            try Self.check(change.set)
            try await api.coordinator.record(
                .labelled(host: id, change: change), by: context.caller().name)
            return try APIAnswer.json(await api.coordinator.host(id))
        },
        APIRoute(.post, "/v1/hosts/{id}/revoke", .admin) { request, context, api in
            let id = try context.identifier(HostID.self)
            let reason = try await request.json(ReasonBody.self).reason ?? ""
            try await api.coordinator.record(
                .revoked(host: id, reason: reason.isEmpty ? "no reason given" : reason),
                by: context.caller().name)
            return try APIAnswer.json(await api.coordinator.host(id))
        },
        APIRoute(.head, "/v1/artifacts/{sha256}", .operator) { _, context, api in
            let digest = try context.digest()
            return Response(status: try await api.artifacts.isWhole(digest) ? .ok : .notFound)
        },
        APIRoute(.put, "/v1/artifacts/{sha256}", .operator) { request, context, api in
            let digest = try context.digest()
            let length = request.headers[.contentLength].flatMap { Int64($0) }
            let isNew = try await api.artifacts.receive(
                digest, length: length, body: request.body)
            return Response(status: isNew ? .created : .ok)
        },
        APIRoute(.get, "/v1/quarantine", .viewer) { _, _, api in
            try APIAnswer.json(await api.coordinator.quarantineShown())
        },
        APIRoute(.delete, "/v1/quarantine/{sha256}", .admin) { request, context, api in
            let digest = try context.digest()
            guard let reason = try await request.json(ReasonBody.self).reason, !reason.isEmpty
            else {
                throw APIFailure(
                    code: "invalid", message: "quarantine is lifted only with a reason",
                    remedy: "add --reason")
            }
            try await api.coordinator.record(
                .unquarantined(digest: digest, reason: reason), by: context.caller().name)
            return Response(status: .noContent)
        },
        APIRoute(.get, "/v1/audit", .viewer) { _, _, api in
            try APIAnswer.json(await api.coordinator.audit())
        },
        APIRoute(.get, "/metrics", .viewer) { _, _, api in
            APIAnswer.text(
                await api.coordinator.metrics(certificateEnds: api.certificateEnds()),
                type: "text/plain; version=0.0.4; charset=utf-8")
        },
    ]

    /// Labels stand in templates, selectors and metrics, so they are short plain text.
    static func check(_ labels: [String: String]) throws {
        let fits = labels.allSatisfy { name, value in
            HostID(name) != nil && value.utf8.count <= 256
                && value.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
        }
        guard fits, labels.count <= 64 else {
            throw APIFailure(
                code: "invalid", message: "a label's name or value is malformed",
                remedy: "names of letters, digits, dots, dashes and underscores; values of at most "
                    + "256 bytes; at most 64 labels")
        }
    }
}

extension Selector {
    /// A selector that came with a request; throws `APIFailure("invalid")`.
    init(asked text: String) throws {
        do {
            self = try Selector(parsing: text)
        } catch {
            throw APIFailure(
                code: "invalid",
                message: "the selector is wrong at column \(error.column): \(error.message)")
        }
    }
}
