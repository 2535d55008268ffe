import FleetWire
import Foundation
import NIOCore
import NIOHTTP1
import OperatorAPI
import RolloutCore
import RolloutPlan
import Synchronization
import Testing

@testable import belay

@Suite("The client against a server on loopback")
struct ClientTests {
    private func client<Result>(
        _ port: Int, scheme: String = "http", authority: String? = nil,
        _ body: (APIClient) async throws -> Result
    ) async throws -> Result {
        try await APIClient.with(
            ClientConfiguration(
                address: "\(scheme)://127.0.0.1:\(port)", token: "belay_t_s", authority: authority),
            body)
    }

    private func failure(_ body: () async throws -> Void) async -> CommandFailure? {
        do {
            try await body()
            return nil
        } catch { return error as? CommandFailure }
    }

    @Test("a read carries the token and decodes the answer")
    func read() async throws {
        let answer = try WireJSON.encode([Samples.running()])
        let server = try await LoopbackServer { _, _ in .init(body: answer) }
        let views: [RolloutView] = try await client(server.port) {
            try await $0.get("/v1/rollouts", to: "list rollouts")
        }
        #expect(views == [Samples.running()])
        #expect(server.asked.first?.headers.first(name: "Authorization") == "Bearer belay_t_s")
        try await server.stop()
    }

    @Test("a refusal keeps the coordinator's words and remedy")
    func refusal() async throws {
        let body = try WireJSON.encode(
            APIFailure(code: "conflict", message: "r-1 holds a-1", remedy: "wait for r-1"))
        let server = try await LoopbackServer { _, _ in .init(status: .conflict, body: body) }
        let failure = await failure {
            try await client(server.port) { client in
                try await client.tell(.POST, "/v1/rollouts", to: "apply registry-2")
            }
        }
        #expect(failure?.status == .conflict)
        #expect(failure?.message == "apply registry-2: r-1 holds a-1")
        #expect(failure?.remedy == "wait for r-1")
        try await server.stop()
    }

    @Test(
        "a status without a body still has its exit code",
        arguments: [
            (401, ExitStatus.notAuthorised), (403, .notAuthorised), (404, .notFound),
            (409, .conflict), (422, .invalid), (503, .unreachable), (500, .error),
        ])
    func statuses(code: Int, status: ExitStatus) async throws {
        let server = try await LoopbackServer { _, _ in .init(status: .init(statusCode: code)) }
        let failure = await failure {
            try await client(server.port) { try await $0.tell(.POST, "/x", to: "try") }
        }
        #expect(failure?.status == status)
        try await server.stop()
    }

    @Test("an answer that does not fit points at the versions")
    func misfit() async throws {
        let server = try await LoopbackServer { _, _ in .init(body: Array("[{}]".utf8)) }
        let failure = await failure {
            let _: [RolloutView] = try await client(server.port) {
                try await $0.get("/v1/rollouts", to: "list rollouts")
            }
        }
        #expect(failure?.remedy?.contains("belay status") == true)
        try await server.stop()
    }

    @Test("nothing listening, a closed connection and silence are told apart")
    func absences() async throws {
        let gone = try await LoopbackServer { _, _ in .init(hangsUp: true) }
        let closed = await failure {
            try await client(gone.port) { try await $0.tell(.GET, "/x", to: "try") }
        }
        #expect(closed?.status == .unreachable)
        try await gone.stop()
        let refused = await failure {
            try await client(gone.port) { try await $0.tell(.GET, "/x", to: "try") }
        }
        #expect(refused?.status == .unreachable)
        #expect(refused?.message.contains("connection refused") == true, "\(refused as Any)")
        let silent = try await LoopbackServer { _, _ in .init(isSilent: true) }
        let late = await failure {
            let _: [RolloutView] = try await client(silent.port) {
                try await $0.get("/x", to: "try", within: Milliseconds(200))
            }
        }
        #expect(late?.status == .timedOut, "\(late as Any)")
        try await silent.stop()
    }

    @Test("a server without TLS and an unreadable authority are said to be that")
    func tls() async throws {
        let server = try await LoopbackServer { _, _ in .init() }
        let plain = await failure {
            try await client(server.port, scheme: "https") {
                try await $0.tell(.GET, "/x", to: "try")
            }
        }
        #expect(plain?.status == .unreachable)
        #expect(plain?.message.contains("TLS") == true, "\(plain as Any)")
        let missing = await failure {
            try await client(server.port, scheme: "https", authority: "/nonexistent.pem") {
                try await $0.tell(.GET, "/x", to: "try")
            }
        }
        #expect(missing?.status == .usage)
        #expect(missing?.message.contains("BELAY_CACERT=/nonexistent.pem") == true)
        try await server.stop()
    }

    @Test("following polls after what was seen, and goes on when the coordinator returns")
    func following() async throws {
        var last = Samples.running()
        last.state = .succeeded
        last.sequence = 50
        let bodies = [try WireJSON.encode(Samples.running()), try WireJSON.encode(last)]
        let server = try await LoopbackServer { _, number in
            switch number {
            case 1: .init(body: bodies[0])
            case 2: .init(hangsUp: true)
            case 3: .init(status: .serviceUnavailable)
            default: .init(body: bodies[1])
            }
        }
        let told = Mutex<[String]>([])
        let end = try await client(server.port) { client in
            try await RolloutFollower(
                client: client, rollout: Samples.running().id, retryFirst: Milliseconds(1)
            ).run { update in
                told.withLock {
                    switch update {
                    case .view(let view): $0.append("view \(view.sequence)")
                    case .away: $0.append("away")
                    case .back: $0.append("back")
                    }
                }
            }
        }
        #expect(end.state == .succeeded)
        #expect(told.withLock { $0 } == ["view 42", "away", "back", "view 50"])
        #expect(server.asked[1].uri == "/v1/rollouts/registry-2-7f3a?after=42&wait=20000")
        try await server.stop()
    }

    @Test("only artifacts that are missing are uploaded, whole")
    func upload() async throws {
        let file = "/tmp/belay-upload-\(UUID().uuidString)"
        let content = [UInt8](repeating: 7, count: 700_001)
        try Data(content).write(to: URL(fileURLWithPath: file))
        defer { try? FileManager.default.removeItem(atPath: file) }
        let here = Samples.digest
        let missing = try #require(Digest(String(repeating: "f", count: 64)))
        let server = try await LoopbackServer { request, _ in
            let isMissing = request.method == .HEAD && request.uri.hasSuffix(missing.hex)
            return .init(status: isMissing ? .notFound : .ok)
        }
        try await client(server.port) {
            try await ArtifactUpload(client: $0, console: .error).run(
                Samples.plan, files: [here: file, missing: file])
        }
        let puts = server.asked.filter { $0.method == .PUT }
        #expect(puts.map(\.uri) == ["/v1/artifacts/\(missing.hex)"])
        #expect(puts.first?.body == content)
        try await server.stop()
    }

    @Test(
        "what the environment lacks is named",
        arguments: [
            ([:], ExitStatus.usage, "BELAY_ADDR is not set"),
            (["BELAY_ADDR": "host:7431"], .usage, "not an address"),
            (["BELAY_ADDR": "http://example.org"], .usage, "not an address"),
            (["BELAY_ADDR": "https://h:1"], .notAuthorised, "BELAY_TOKEN is not set"),
            (["BELAY_ADDR": "https://h:1", "BELAY_TOKEN": "a b"], .notAuthorised, "characters"),
        ] as [([String: String], ExitStatus, String)])
    func environment(variables: [String: String], status: ExitStatus, words: String) async {
        let failure = await failure { _ = try ClientConfiguration(environment: variables) }
        #expect(failure?.status == status)
        #expect(failure?.message.contains(words) == true)
    }

    @Test("a failure is one JSON object where JSON was asked for")
    func json() throws {
        let failure = CommandFailure(.notFound, "show rollout r-1: there is none", remedy: "list")
        let line = try #require(FailureText.lines(failure, json: true, style: .plain).first)
        let body = try WireJSON.decode(APIFailure.self, from: Array(line.utf8))
        #expect(body.code == "not_found")
        #expect(body.message == failure.message)
    }
}
