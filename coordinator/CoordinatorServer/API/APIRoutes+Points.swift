import FleetWire
import Hummingbird
import OperatorAPI

extension APIRoutes {
    static let points: [APIRoute] = [
        APIRoute(.post, "/v1/points/query", .viewer) { request, _, api in
            let wanted = try await request.json(FleetPointRequest.self)
            switch wanted.request.action {
            case .list, .show, .diff, .verify: return try await ask(wanted, api)
            case .create, .restore, .prune, .scrub, .repair:
                throw APIFailure(
                    code: "invalid",
                    message: "\(wanted.request.action.rawValue) is an order, not a question",
                    remedy: "POST it to /v1/points")
            }
        },
        APIRoute(.post, "/v1/points", .operator) { request, context, api in
            let wanted = try await request.json(FleetPointRequest.self)
            guard wanted.request.mutates else { return try await ask(wanted, api) }
            let answers = try await api.coordinator.begin(wanted, by: context.caller().name)
            return lines { (write: (PointAnswer?) async throws -> Void) in
                // Whoever takes no more is gone: no further host is asked then.
                defer { answers.finish() }
                for await answer in answers.stream { try await write(answer) }
            }
        },
    ]

    private static func ask(_ wanted: FleetPointRequest, _ api: APIRoutes) async throws -> Response
    {
        let hosts = try await api.coordinator.check(wanted)
        return lines { (write: (PointAnswer?) async throws -> Void) in
            try await api.coordinator.ask(wanted, hosts, give: write)
        }
    }

    /// One object a line as it comes; empty lines in between say that more is waited for.
    static func lines<Answer: Encodable & SendableMetatype>(
        _ body: @escaping @Sendable ((Answer?) async throws -> Void) async throws -> Void
    ) -> Response {
        var headers: HTTPFields = [.contentType: "application/x-ndjson", .cacheControl: "no-store"]
        headers[.xContentTypeOptions] = "nosniff"
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
                try await body { answer in
                    let line = try answer.map { try WireJSON.encode($0) } ?? []
                    try await writer.write(ByteBuffer(bytes: line + [UInt8(ascii: "\n")]))
                }
                try await writer.finish(nil)
            })
    }
}
