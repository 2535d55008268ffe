import FleetWire
import Foundation
import RolloutCore
import RolloutPlan
import Testing

@testable import CoordinatorServer

@Suite("Webhook gates", .serialized)
struct WebhookGateTests {
    private func ask(
        _ url: String, headers: [String: String] = [:], timeout: Milliseconds = .seconds(5),
        authorities: String? = nil
    ) async throws -> GateFinding {
        let client = try GateClient(authorities: authorities)
        let rule = WebhookRule(url: url, headers: headers, timeout: timeout)
        let finding = await WebhookGate.ask(
            rule, try GateSamples.work(.webhook(rule)), client)
        await client.shutdown()
        return finding
    }

    @Test("send the rollout, wave and hosts, and take the verdict and its detail")
    func good() async throws {
        let scratch = try Scratch()
        let secret = scratch.path + "/token"
        try "Bearer s3cret-in-file\n".write(toFile: secret, atomically: true, encoding: .utf8)
        for verdict in ["pass", "fail", "inconclusive"] {
            let body = #"{"verdict": "\#(verdict)", "detail": "ticket 7\nis fine"}"#
            try await FakeServer.run({ _ in .status(200, [:], body) }) { server in
                let found = try await ask(
                    server.url + "/hook?key=hush",
                    headers: ["Authorization": "file:" + secret, "X-Team": "data"])
                #expect(found.verdict?.rawValue == verdict)
                #expect(found.detail.contains("ticket 7") && !found.detail.contains("\n"))
                let request = try #require(server.requests.first)
                #expect(request.hasPrefix("POST /hook?key=hush HTTP/1.1\r\n"))
                #expect(request.contains("Authorization: Bearer s3cret-in-file\r\n"))
                #expect(request.contains("X-Team: data\r\n"))
                let sent = try #require(request.components(separatedBy: "\r\n\r\n").last)
                let asked = try WireJSON.decode(WebhookGate.Asked.self, from: Array(sent.utf8))
                #expect(asked.hosts == GateSamples.hosts && asked.round == 3)
                #expect(asked.wave == "canary" && asked.rollout.rawValue == "demo-1")
            }
        }
    }

    @Test(
        "that answer anything else give no data",
        arguments: [
            .status(500, [:], #"{"verdict": "pass"}"#),
            .status(201, [:], #"{"verdict": "pass"}"#),
            .status(204, [:], ""),
            .status(200, [:], ""),
            .status(200, [:], "pass"),
            .status(200, [:], #"{"verdict": "Pass"}"#),
            .status(200, [:], #"{"verdict": true}"#),
            .status(200, [:], #"{"verdict": "pass""#),
            .status(200, [:], #"["pass"]"#),
            .status(200, [:], String(repeating: " ", count: 1 << 21) + #"{"verdict": "pass"}"#),
            .raw("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"verdict\": \"pass\"}"),
            .raw("garbage\r\n\r\n"), .raw(""), .drip, .silence,
        ] as [FakeServer.Answer])
    func bad(_ answer: FakeServer.Answer) async throws {
        try await FakeServer.run({ _ in answer }) { server in
            let began = ContinuousClock.now
            let found = try await ask(server.url + "/secret-path", timeout: Milliseconds(700))
            #expect(found.verdict == nil, "\(found.detail)")
            #expect(found.detail.hasPrefix("no data: "), "\(found.detail)")
            #expect(!found.detail.contains("secret-path"))
            #expect(server.requests.count == 1)
            #expect(ContinuousClock.now - began < .seconds(10))
        }
    }

    @Test("do not follow a redirect")
    func redirects() async throws {
        try await FakeServer.run({ _ in .status(200, [:], #"{"verdict": "pass"}"#) }) { target in
            let to = target.url
            for status in [301, 302, 303, 307, 308] {
                try await FakeServer.run({ _ in .status(status, ["location": to], "") }) { first in
                    let found = try await ask(first.url)
                    #expect(found.verdict == nil && found.detail.contains("\(status)"))
                }
            }
            #expect(target.requests.isEmpty)
        }
    }

    @Test("that cannot be reached, or whose headers cannot be read, give no data and no secret")
    func unreachable() async throws {
        let scratch = try Scratch()
        let binary = scratch.path + "/odd"
        try "hush\u{1}-value".write(toFile: binary, atomically: true, encoding: .utf8)
        let cases: [(String, [String: String])] = [
            ("http://127.0.0.1:1/", [:]), ("ftp://127.0.0.1/", [:]), ("not a url", [:]),
            ("http://", [:]), ("http://no-such-name.invalid/", [:]),
            ("http://127.0.0.1:1/", ["X": "file:/no/such/file"]),
            ("http://127.0.0.1:1/", ["X": "file:" + binary]),
            ("http://127.0.0.1:1/", ["X": "hush\r\nY: z"]),
            ("http://127.0.0.1:1/", ["bad name": "hush"]),
            ("http://user:hush@127.0.0.1:1/", [:]),
        ]
        for (url, headers) in cases {
            let found = try await ask(url, headers: headers, timeout: .seconds(3))
            #expect(found.verdict == nil, "\(url)")
            #expect(!found.detail.contains("hush"), "\(found.detail)")
        }
    }

    @Test("over HTTPS verify the server's certificate")
    func certificates() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.memory, in: scratch) { coordinator in
            let url = coordinator.api.base + "/v1/status"
            let stranger = try await ask(url)
            #expect(stranger.detail.contains("is not trusted"), "\(stranger.detail)")
            let known = try await ask(
                url, authorities: coordinator.home.authority.certificatePEM)
            #expect(known.detail.contains("status 4"), "\(known.detail)")
        }
    }
}
