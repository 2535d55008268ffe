import FleetWire
import Hummingbird
import NIOCore
import OperatorAPI
import ServiceLifecycle

/// One route of the API.
struct APIRoute: Sendable {
    typealias Answer = @Sendable (Request, APIContext, APIRoutes) async throws -> Response

    let method: HTTPRequest.Method
    /// As in openapi.yaml: `/v1/hosts/{id}`.
    let path: String
    /// Who may ask.
    let role: AccessRole
    let answer: Answer
    /// `GET /v1/hosts viewer`.
    var line: String { "\(method.rawValue) \(path) \(role.rawValue)" }

    init(
        _ method: HTTPRequest.Method, _ path: String, _ role: AccessRole,
        _ answer: @escaping Answer
    ) {
        self.method = method
        self.path = path
        self.role = role
        self.answer = answer
    }
}

/// The routes of the API and what they need.
struct APIRoutes: Sendable {
    let coordinator: Coordinator
    let authority: CertificateAuthority
    let artifacts: ArtifactStore
    let name: String
    let certificateEnds: @Sendable () -> Timestamp

    /// All routes, in the order of docs/reference/openapi.yaml.
    static let all: [APIRoute] = rollouts + fleet + points + checks + access

    /// A router that answers all of them.
    func router(door: APIDoor) -> Router<APIContext> {
        let router = Router(context: APIContext.self)
        router.add(middleware: door)
        for route in Self.all {
            router.on(RouterPath(route.path), method: route.method) { request, context in
                guard try context.caller().role >= route.role else {
                    throw APIFailure(
                        code: "not_authorised",
                        message: "\(route.method.rawValue) \(route.path) needs the role "
                            + "\(route.role.rawValue)",
                        remedy: "use a token with that role")
                }
                return try await route.answer(request, context, self)
            }
        }
        return router
    }

    /// Answers a long poll; ends when the caller goes or the coordinator stops.
    static func poll<Value: Encodable & Sendable>(
        _ request: Request, _ ask: @escaping @Sendable () async throws -> Value
    ) async throws -> Response {
        guard try request.wait() > .zero else { return try APIAnswer.json(await ask()) }
        let value = try await request.body.consumeWithCancellationOnInboundClose { _ in
            try await cancelWhenGracefulShutdown(ask)
        }
        var response = try APIAnswer.json(value)
        // The connection has been watched for its end and cannot carry another request.
        response.headers[.connection] = "close"
        return response
    }
}
