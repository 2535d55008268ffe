import FleetWire
import Hummingbird
import Logging
import NIOCore
import OperatorAPI

/// Stands before all routes: finds out who asks, turns every error into an `APIFailure` body, and
/// writes one line per request. Neither tokens nor bodies are logged.
struct APIDoor: RouterMiddleware {
    typealias Context = APIContext

    let coordinator: Coordinator
    let logger: Logger

    func handle(
        _ request: Request, context: APIContext,
        next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let began = ContinuousClock.now
        var context = context
        context.principal = principal(of: request)
        let response = await respond(request, context, next)
        let took = (ContinuousClock.now - began) / .milliseconds(1)
        let isRead = request.method == .get || request.method == .head
        logger.log(
            level: isRead && response.status.code < 400 ? .debug : .info, "request",
            metadata: [
                "method": "\(request.method.rawValue)", "path": "\(request.uri.path.prefix(256))",
                "status": "\(response.status.code)",
                "by": "\(context.principal?.name ?? "-")", "milliseconds": "\(Int(took))",
            ])
        return response
    }

    private func principal(of request: Request) -> APITokenView? {
        guard let header = request.headers[.authorization], header.hasPrefix("Bearer ") else {
            return nil
        }
        return coordinator.directory.snapshot.principal(
            bearer: String(header.dropFirst(7)), now: coordinator.clock())
    }

    private func respond(
        _ request: Request, _ context: APIContext,
        _ next: (Request, APIContext) async throws -> Response
    ) async -> Response {
        do {
            guard context.principal != nil else {
                throw APIFailure(
                    code: "not_authorised",
                    message: "the request carries no valid API token",
                    remedy: "set BELAY_TOKEN to a token of `belay token access create`")
            }
            return try await next(request, context)
        } catch {
            let failure = Self.failure(for: error)
            if failure.code == "failed" {
                logger.error("request failed", metadata: ["reason": "\(failure.message)"])
            }
            return Self.response(to: failure, isKnown: context.principal != nil)
        }
    }

    /// What a caller is told of an error.
    static func failure(for error: any Error) -> APIFailure {
        switch error {
        case let failure as APIFailure: failure
        case let refusal as Refusal:
            APIFailure(
                code: refusal.code == "unreachable" ? "unreachable" : "refused",
                message: refusal.reason, remedy: refusal.remedy)
        case let frame as FrameError:
            APIFailure(code: "unreachable", message: "the agent's answer: \(frame.reason)")
        case let http as HTTPError: failure(for: http)
        case is NIOTooManyBytesError:
            APIFailure(code: "too_large", message: "the body is too large")
        case is CancellationError:
            APIFailure(code: "unavailable", message: "the request was given up or we are stopping")
        default: APIFailure(code: "failed", message: "\(error)")
        }
    }

    private static func failure(for error: HTTPError) -> APIFailure {
        switch error.status.code {
        case 404:
            APIFailure(
                code: "not_found", message: "there is no such route",
                remedy: "docs/reference/openapi.yaml lists all")
        case 413: APIFailure(code: "too_large", message: "the body is too large")
        case 400..<500: APIFailure(code: "invalid", message: error.body ?? "a bad request")
        default: APIFailure(code: "failed", message: error.body ?? "the request failed")
        }
    }

    private static func status(of code: String, isKnown: Bool) -> HTTPResponse.Status {
        switch code {
        case "invalid": .badRequest
        case "not_authorised": isKnown ? .forbidden : .unauthorized
        case "not_found": .notFound
        case "conflict", "refused": .conflict
        case "too_large": .contentTooLarge
        case "unreachable": .badGateway
        case "unavailable": .serviceUnavailable
        case "no_space": HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage")
        default: .internalServerError
        }
    }

    private static func response(to failure: APIFailure, isKnown: Bool) -> Response {
        let status = status(of: failure.code, isKnown: isKnown)
        var response =
            (try? APIAnswer.json(failure, status: status)) ?? Response(status: status)
        if status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer" }
        return response
    }
}
