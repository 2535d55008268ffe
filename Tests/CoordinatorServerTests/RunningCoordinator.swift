import AsyncHTTPClient
import CoordinatorServer
import FleetTransport
import FleetWire
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import OperatorAPI
import StateStore

enum StoreKind: String, CaseIterable, Sendable { case memory, sqlite }

/// A whole coordinator on loopback, with a client that holds its first admin token.
struct RunningCoordinator: Sendable {
    let home: CoordinatorHome
    let agentsPort: Int
    let api: APIClient

    /// The same API for another token.
    func api(as token: String) -> APIClient {
        APIClient(base: api.base, token: token, client: api.client)
    }

    /// Runs a coordinator in `scratch` as long as `body` runs; makes its state if there is none.
    static func run(
        _ kind: StoreKind, in scratch: Scratch, generation: UInt64 = 0, made: Timestamp? = nil,
        clock: @escaping @Sendable () -> Timestamp = wallClock,
        _ body: (RunningCoordinator) async throws -> Void
    ) async throws {
        let tokenPath = scratch.path + "/token"
        if !FileManager.default.fileExists(atPath: tokenPath) {
            try await CoordinatorHome.make(
                in: scratch.path, identity: .init(name: "t", addresses: ["127.0.0.1"]),
                now: made ?? wallClock()
            ) { try $0.write(toFile: tokenPath, atomically: true, encoding: .utf8) }
        }
        let token = try String(contentsOfFile: tokenPath, encoding: .utf8)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let home = try CoordinatorHome(directory: scratch.path)
        let (bound, tell) = AsyncStream.makeStream(of: CoordinatorDaemon.Listening.self)
        let daemon = CoordinatorDaemon(
            home: home, store: try await store(kind, in: scratch),
            agents: .init(host: "127.0.0.1", port: 0), api: .init(host: "127.0.0.1", port: 0),
            generation: Generation(rawValue: generation), logger: logger, clock: clock,
            listening: { tell.yield($0) })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { tell.finish() }
                do { try await daemon.run() } catch is CancellationError {}
            }
            var arrivals = bound.makeAsyncIterator()
            guard let listening = await arrivals.next() else {
                try await group.next()
                throw Late(what: "the coordinator listens")
            }
            try await use(listening, home, token, body)
            group.cancelAll()
        }
    }

    private static func use(
        _ listening: CoordinatorDaemon.Listening, _ home: CoordinatorHome, _ token: String,
        _ body: (RunningCoordinator) async throws -> Void
    ) async throws {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .certificates(
            try NIOSSLCertificate.fromPEMBytes(Array(home.authority.certificatePEM.utf8)))
        let client = HTTPClient(
            eventLoopGroupProvider: .singleton, configuration: .init(tlsConfiguration: tls))
        let running = RunningCoordinator(
            home: home, agentsPort: CoordinatorDaemon.Endpoint(listening.agents)?.port ?? 0,
            api: APIClient(base: "https://" + listening.api, token: token, client: client))
        do {
            try await body(running)
        } catch {
            try? await client.shutdown()
            throw error
        }
        try await client.shutdown()
    }

    /// A memory store begins with what `init` wrote, so that the admin token is known to it.
    private static func store(_ kind: StoreKind, in scratch: Scratch) async throws
        -> any StateStore
    {
        let durable = try SQLiteStateStore(directory: scratch.path)
        guard kind == .memory else { return durable }
        let memory = MemoryStateStore()
        let records = try await durable.records(after: 0, stream: nil, limit: 1000)
        await durable.close()
        _ = try await memory.append(records.map(\.content), expecting: 0)
        return memory
    }
}

/// Asks the API.
struct APIClient: Sendable {
    struct Answer: Sendable {
        let status: Int
        let headers: HTTPHeaders
        let bytes: [UInt8]
        var text: String { String(decoding: bytes, as: UTF8.self) }

        func body<Value: Decodable>(_ type: Value.Type) throws -> Value {
            try WireJSON.decode(type, from: bytes)
        }
        /// The failure's code; empty for a success.
        var code: String { (try? body(APIFailure.self).code) ?? "" }
    }

    let base: String
    let token: String?
    let client: HTTPClient

    func send(
        _ method: HTTPMethod, _ path: String, _ body: HTTPClientRequest.Body? = nil
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: base + path)
        request.method = method
        if let token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
        request.body = body
        let response = try await client.execute(request, timeout: .seconds(30))
        let buffer = try await response.body.collect(upTo: 64 << 20)
        return Answer(
            status: Int(response.status.code), headers: response.headers,
            bytes: Array(buffer.readableBytesView))
    }

    func get(_ path: String) async throws -> Answer { try await send(.GET, path) }

    func send(
        _ method: HTTPMethod, _ path: String, json: some Encodable
    ) async throws -> Answer {
        try await send(method, path, .bytes(ByteBuffer(bytes: WireJSON.encode(json))))
    }

    func token(
        uses: Int = 1, lifetime: Milliseconds = .seconds(60), host: HostID? = nil
    ) async throws -> String {
        let request = TokenRequest(
            lifetime: lifetime, uses: uses, labels: ["zone": "a"], host: host)
        let answer = try await send(.POST, "/v1/tokens", json: request)
        return try answer.body(TokenView.self).token ?? ""
    }
}
