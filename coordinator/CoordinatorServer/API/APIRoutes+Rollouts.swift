import FleetWire
import Hummingbird
import OperatorAPI

extension APIRoutes {
    static let rollouts: [APIRoute] = [
        APIRoute(.get, "/v1/status", .viewer) { _, context, api in
            try APIAnswer.json(
                await api.coordinator.status(name: api.name, principal: context.caller()))
        },
        APIRoute(.post, "/v1/plan", .viewer) { request, _, api in
            let plan = try await request.json(PreviewRequest.self).plan
            return try APIAnswer.json(
                await api.coordinator.preview(plan, artifacts: api.artifacts))
        },
        APIRoute(.post, "/v1/rollouts", .operator) { request, context, api in
            let wanted = try await request.json(ApplyRequest.self)
            return try APIAnswer.json(
                await api.coordinator.apply(
                    wanted, by: context.caller().name, artifacts: api.artifacts),
                status: .created)
        },
        APIRoute(.get, "/v1/rollouts", .viewer) { _, _, api in
            try APIAnswer.json(await api.coordinator.summaries())
        },
        APIRoute(.get, "/v1/rollouts/{id}", .viewer) { request, context, api in
            let id = try context.identifier(RolloutID.self)
            let after = try request.number("after")
            let wait = try request.wait()
            return try await poll(request) {
                try await api.coordinator.view(of: id, after: after, wait: wait)
            }
        },
        APIRoute(.get, "/v1/rollouts/{id}/why", .viewer) { request, context, api in
            let id = try context.identifier(RolloutID.self)
            let host = request.text("host")
            guard let host else {
                return try APIAnswer.json(await api.coordinator.why(id, host: nil))
            }
            guard let known = HostID(host) else {
                throw APIFailure(code: "invalid", message: "\(host) is no host id")
            }
            return try APIAnswer.json(await api.coordinator.why(id, host: known))
        },
        APIRoute(.post, "/v1/rollouts/{id}/commands", .operator) { request, context, api in
            let id = try context.identifier(RolloutID.self)
            let wanted = try await request.json(CommandRequest.self)
            return try APIAnswer.json(
                await api.coordinator.command(wanted, to: id, by: context.caller().name))
        },
        APIRoute(.get, "/v1/rollouts/{id}/history", .viewer) { request, context, api in
            try APIAnswer.json(
                await api.coordinator.history(
                    of: context.identifier(RolloutID.self),
                    after: Int(clamping: request.number("after") ?? 0)))
        },
        APIRoute(.get, "/v1/rollouts/{id}/report", .viewer) { request, context, api in
            let id = try context.identifier(RolloutID.self)
            let report = try await api.coordinator.report(on: id)
            switch request.text("format") ?? "md" {
            case "md":
                return APIAnswer.text(
                    MarkdownReport(report).text, type: "text/markdown; charset=utf-8")
            case "html":
                return APIAnswer.text(HTMLReport(report).text, type: "text/html; charset=utf-8")
            case "json": return try APIAnswer.json(report)
            case let other:
                throw APIFailure(
                    code: "invalid", message: "there is no report format \(other)",
                    remedy: "md, html or json")
            }
        },
        APIRoute(.post, "/v1/rollbacks", .operator) { request, context, api in
            let wanted = try await request.json(RollbackRequest.self)
            return try APIAnswer.json(
                await api.coordinator.rollBack(wanted, by: context.caller().name))
        },
        APIRoute(.get, "/v1/events", .viewer) { request, context, api in
            let after = try request.number("after") ?? 0
            let limit = Int(clamping: try request.number("limit") ?? 100)
            let stream = request.text("stream")
            let wait = try request.wait()
            let role = try context.caller().role
            return try await poll(request) {
                try await api.coordinator.events(
                    after: after, stream: stream, limit: limit, wait: wait, role: role)
            }
        },
    ]
}
