import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// Asks the registry services, as their users do.
enum ServiceClient {
    /// An answer; status 0 means that there was none.
    struct Answer: Sendable {
        var status: Int
        var body: String
    }

    /// The body of `/healthz`, as far as the demo looks at it.
    struct Health: Decodable, Sendable {
        var status: String
        var version: String
        var schema: Int?
        var flags: [String: Bool]
    }

    /// It never tries again by itself: a refused connection is a failure that its user sees.
    private static let client = {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    static func get(_ path: String, port: Int) async -> Answer {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.headers.add(name: "connection", value: "close")
        do {
            let response = try await client.execute(request, timeout: .seconds(5))
            let body = try await response.body.collect(upTo: 4 << 20)
            return Answer(status: Int(response.status.code), body: String(buffer: body))
        } catch {
            return Answer(status: 0, body: "\(error)")
        }
    }

    static func health(port: Int) async -> Health? {
        let answer = await get("/healthz", port: port)
        return try? JSONDecoder().decode(Health.self, from: Data(answer.body.utf8))
    }
}
