import AsyncHTTPClient
import FleetWire
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL
import OperatorAPI

/// Requests to the coordinator; every failure says what was attempted.
struct APIClient: Sendable {
    /// Bounds of this client.
    enum Limits {
        /// A connection that is not there after this will not come.
        static let connectSeconds: Int64 = 5
        /// What an ordinary request may take.
        static let answer = Milliseconds.seconds(30)
        /// Agents compute diffs for a plan.
        static let plan = Milliseconds.seconds(180)
        /// How long the coordinator holds a long poll.
        static let poll = Milliseconds.seconds(20)
        /// An artifact's upload.
        static let upload = Milliseconds.seconds(3600)
        /// The coordinator sends an empty line each second while it waits for hosts; silence this
        /// long means that it or the network is gone.
        static let answersSilence = Milliseconds.seconds(30)
        /// The longest line of an answer in lines: a host's reply fits a frame of 1 MiB.
        static let lineBytesMax = 4 << 20
        /// More than any answer has; a bigger one would fill the memory.
        static let answerBytesMax = 256 << 20
    }

    let configuration: ClientConfiguration
    private let http: HTTPClient

    /// Gives `body` a client and lets go of its connections afterwards.
    /// A peer that sends nothing for `silence` is gone; nil leaves that to each request's deadline.
    static func with<Result>(
        _ configuration: ClientConfiguration, silence: Milliseconds? = nil,
        _ body: (APIClient) async throws -> Result
    ) async throws -> Result {
        var settings = try clientSettings(configuration)
        if let silence { settings.timeout.read = .milliseconds(silence.count) }
        let client = APIClient(
            configuration: configuration,
            http: HTTPClient(eventLoopGroupProvider: .singleton, configuration: settings))
        do {
            let result = try await body(client)
            try? await client.http.shutdown()
            return result
        } catch {
            try? await client.http.shutdown()
            throw error
        }
    }

    /// The same, configured by the environment.
    static func with<Result>(
        silence: Milliseconds? = nil, _ body: (APIClient) async throws -> Result
    ) async throws -> Result {
        try await with(
            ClientConfiguration(environment: ProcessInfo.processInfo.environment),
            silence: silence, body)
    }

    private static func clientSettings(
        _ configuration: ClientConfiguration
    ) throws(CommandFailure) -> HTTPClient.Configuration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv13
        if let path = configuration.authority {
            do {
                tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(path))
            } catch {
                throw CommandFailure(
                    .usage, "cannot read the authority's certificate from BELAY_CACERT=\(path)",
                    remedy: "copy authority.pem from the coordinator's state folder to a place "
                        + "that you may read")
            }
        }
        var settings = HTTPClient.Configuration(tlsConfiguration: tls)
        settings.httpVersion = .http1Only
        settings.redirectConfiguration = .disallow
        settings.timeout.connect = .seconds(Limits.connectSeconds)
        settings.connectionPool.retryConnectionEstablishment = false
        return settings
    }

    /// Reads a value.
    func get<Value: Decodable>(
        _ path: Path, to attempt: String, within: Milliseconds = Limits.answer
    ) async throws -> Value {
        try decode(try await bytes(.GET, path, to: attempt, within: within), attempt)
    }

    /// Reads bytes as they are.
    func raw(_ path: Path, to attempt: String) async throws -> [UInt8] {
        try await bytes(.GET, path, to: attempt, within: Limits.answer)
    }

    /// Sends a value and reads the answer.
    func send<Value: Decodable>(
        _ method: HTTPMethod, _ path: Path, _ body: some Encodable, to attempt: String,
        within: Milliseconds = Limits.answer
    ) async throws -> Value {
        let sent = ByteBuffer(bytes: try WireJSON.encode(body))
        return try decode(
            try await bytes(method, path, body: .bytes(sent), to: attempt, within: within),
            attempt)
    }

    /// Sends, where success is all of the answer.
    func tell(
        _ method: HTTPMethod, _ path: Path, _ body: (any Encodable & Sendable)? = nil,
        to attempt: String
    ) async throws {
        let sent = try body.map {
            HTTPClientRequest.Body.bytes(ByteBuffer(bytes: try WireJSON.encode($0)))
        }
        _ = try await bytes(method, path, body: sent, to: attempt, within: Limits.answer)
    }

    /// True if the coordinator has it.
    func exists(_ path: Path, to attempt: String) async throws -> Bool {
        let response = try await answer(.HEAD, path, body: nil, to: attempt, within: Limits.answer)
        if response.status == .notFound { return false }
        guard (200..<300).contains(response.status.code) else {
            throw refusal(attempt, response.status, [])
        }
        return true
    }

    /// Sends a body that is streamed.
    func upload<Chunks: AsyncSequence & Sendable>(
        _ path: Path, chunks: Chunks, length: Int64, to attempt: String
    ) async throws where Chunks.Element == ByteBuffer {
        _ = try await bytes(
            .PUT, path, body: .stream(chunks, length: .known(length)), to: attempt,
            within: Limits.upload, contentType: "application/octet-stream")
    }

    private func bytes(
        _ method: HTTPMethod, _ path: Path, body: HTTPClientRequest.Body? = nil,
        to attempt: String, within: Milliseconds, contentType: String = "application/json"
    ) async throws -> [UInt8] {
        let response = try await answer(
            method, path, body: body, to: attempt, within: within, contentType: contentType)
        let content: [UInt8]
        do {
            content = Array(
                buffer: try await response.body.collect(upTo: Limits.answerBytesMax))
        } catch let error where !(error is CancellationError) {
            throw ConnectionFailure.failure(
                attempt: attempt, configuration: configuration, error: error)
        }
        guard (200..<300).contains(response.status.code) else {
            throw refusal(attempt, response.status, content)
        }
        return content
    }

    func answer(
        _ method: HTTPMethod, _ path: Path, body: HTTPClientRequest.Body?, to attempt: String,
        within: Milliseconds, contentType: String = "application/json"
    ) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: configuration.address + path.text)
        request.method = method
        request.headers.add(name: "Authorization", value: "Bearer \(configuration.token)")
        request.headers.add(name: "User-Agent", value: "belay/\(BelayVersion.current)")
        if let body {
            request.headers.add(name: "Content-Type", value: contentType)
            request.body = body
        }
        do {
            return try await http.execute(
                request, deadline: .now() + .milliseconds(within.count))
        } catch {
            try Task.checkCancellation()
            throw ConnectionFailure.failure(
                attempt: attempt, configuration: configuration, error: error)
        }
    }

    func refusal(
        _ attempt: String, _ status: HTTPResponseStatus, _ content: [UInt8]
    ) -> CommandFailure {
        if let failure = try? WireJSON.decode(APIFailure.self, from: Audience.admit(content)) {
            return CommandFailure(attempt: attempt, refusal: failure)
        }
        let code =
            switch status.code {
            case 400, 422: "invalid"
            case 401, 403: "not_authorised"
            case 404: "not_found"
            case 409: "conflict"
            case 502, 503: "unreachable"
            case 504: "timed_out"
            default: "internal"
            }
        return CommandFailure(
            attempt: attempt,
            refusal: APIFailure(code: code, message: "the coordinator answered \(status)"))
    }

    func decode<Value: Decodable>(_ content: [UInt8], _ attempt: String) throws -> Value {
        do {
            return try WireJSON.decode(Value.self, from: Audience.admit(content))
        } catch {
            throw CommandFailure(
                .error,
                "\(attempt): the coordinator's answer does not fit belay \(BelayVersion.current)",
                remedy: "compare the versions with `belay status` and use the coordinator's")
        }
    }
}
