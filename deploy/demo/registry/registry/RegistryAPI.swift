import FoundationEssentials
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import RegistryCore

/// The HTTP API: routes to what the registry does, counted and with failures as JSON.
struct RegistryAPI: Sendable {
    /// The body of an answer that says what went wrong.
    private struct Failure: Codable {
        var error: String
    }

    let registry: Registry
    let metrics: ServiceMetrics
    let logger: Logger

    func router() -> Router<BasicRequestContext> {
        let router = Router(context: BasicRequestContext.self)
        route(router, .get, "/healthz") { _, _ in
            let health = await registry.health()
            return try json(health, health.isOK ? .ok : .serviceUnavailable)
        }
        route(router, .get, "/metrics") { _, _ in
            text(
                metrics.text(release: registry.release), .ok,
                "text/plain; version=0.0.4; charset=utf-8")
        }
        route(router, .get, "/v1/datasets") { _, _ in try json(await registry.list(), .ok) }
        route(router, .get, "/v1/datasets/{name}") { _, name in
            try json(await registry.record(of: name), .ok)
        }
        route(router, .put, "/v1/datasets/{name}") { request, name in
            let body = try await request.body.collect(upTo: Registry.datasetBytesMax)
            return try json(
                await registry.register(name, csv: Array(buffer: body)), .created)
        }
        route(router, .get, "/v1/datasets/{name}/data") { _, name in
            let bytes = try await registry.data(of: name)
            return answer(ByteBuffer(bytes: bytes), .ok, "text/csv; charset=utf-8")
        }
        route(router, .get, "/v1/datasets/{name}/features") { _, name in
            text(try await registry.features(of: name), .ok, "application/json")
        }
        return router
    }

    private func route(
        _ router: Router<BasicRequestContext>, _ method: HTTPRequest.Method, _ path: String,
        _ act: @escaping @Sendable (Request, String) async throws -> Response
    ) {
        router.on(RouterPath(path), method: method) { request, context -> Response in
            let began = ContinuousClock.now
            let response = await answered(path) {
                try await act(request, context.parameters.get("name") ?? "")
            }
            metrics.count(
                endpoint: "\(method.rawValue) \(path)", status: response.status.code,
                took: ContinuousClock.now - began)
            return response
        }
    }

    private func answered(
        _ path: String, _ act: () async throws -> Response
    ) async -> Response {
        do {
            return try await act()
        } catch let problem as RegistryProblem {
            let status = Self.status(of: problem)
            if status.code >= 500 { logger.error("\(path): \(problem)") }
            return failure(problem.description, status)
        } catch let refused as any HTTPResponseError {
            return failure("the request was refused", refused.status)
        } catch {
            logger.error("\(path): \(error)")
            return failure("\(error)", .internalServerError)
        }
    }

    private static func status(of problem: RegistryProblem) -> HTTPResponse.Status {
        switch problem.kind {
        case .invalid: .badRequest
        case .notFound: .notFound
        case .conflict: .conflict
        case .corrupt: .internalServerError
        case .unavailable: .serviceUnavailable
        }
    }

    private func failure(_ text: String, _ status: HTTPResponse.Status) -> Response {
        let body = (try? CanonicalJSON.line(Failure(error: text))) ?? "{}"
        return self.text(body, status, "application/json")
    }

    private func json(
        _ value: some Encodable, _ status: HTTPResponse.Status
    ) throws -> Response {
        text(try CanonicalJSON.line(value), status, "application/json")
    }

    private func text(_ text: String, _ status: HTTPResponse.Status, _ type: String) -> Response {
        answer(ByteBuffer(string: text), status, type)
    }

    private func answer(
        _ body: ByteBuffer, _ status: HTTPResponse.Status, _ type: String
    ) -> Response {
        Response(
            status: status, headers: [.contentType: type], body: ResponseBody(byteBuffer: body))
    }
}
