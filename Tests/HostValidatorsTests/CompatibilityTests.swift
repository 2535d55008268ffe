import FleetWire
import Testing

@testable import HostValidators

@Suite struct ReplayTests {
    private static let models =
        #"{"request": {"path": "/models"}, "response": {"status": 200, "body": {"items": [{"id": 1, "tag": null}]}}}"#

    private func parameters(
        _ url: String, _ more: [String: ParameterValue] = [:]
    ) -> [String: ParameterValue] {
        ["recording": .text("/requests.jsonl"), "url": .text(url)].merging(more) { $1 }
    }

    /// Status, body, what `api_compatibility` and `backward_compatibility` say of it.
    @Test(arguments: [
        (200, #"{"items": [{"id": 2, "tag": "x"}]}"#, CheckStatus.pass, CheckStatus.pass, ""),
        (200, #"{"items": []}"#, .pass, .pass, ""),
        (
            200, #"{"items": [{"id": 2, "tag": 1, "new": 1}]}"#, .warn, .pass,
            "$.items[].new was added"
        ),
        (200, #"{"items": [{"tag": 1}]}"#, .fail, .fail, "$.items[].id is missing"),
        (
            200, #"{"items": [{"id": "2", "tag": 1}]}"#, .fail, .fail,
            "$.items[].id is a string, not a number"
        ),
        (200, #"{"items": {}}"#, .fail, .fail, "$.items is an object, not an array"),
        (200, "plain", .fail, .fail, "$ is a string, not an object"),
        (201, #"{"items": [{"id": 2, "tag": 1}]}"#, .fail, .pass, "status 201, 200 recorded"),
        (404, #"{"items": [{"id": 2, "tag": 1}]}"#, .fail, .fail, "status 404, 200 recorded"),
    ])
    func anAnswerIsHeldAgainstTheRecordedOne(
        status: Int, body: String, api: CheckStatus, backward: CheckStatus, says: String
    ) async throws {
        let root = try CheckRoot()
        try root.place("/requests.jsonl", Self.models + "\n")
        let server = try AnsweringPort([.init(status: status, body: body)])
        for (id, wanted) in [("api_compatibility", api), ("backward_compatibility", backward)] {
            try await root.expect(
                id,
                Row(body, parameters(server.url), wanted, says: wanted == .pass ? "1 of 1" : says))
        }
        #expect(server.asked.allSatisfy { $0.hasPrefix("GET /models HTTP/1.1\r\n") })
        #expect(server.asked.count == 2)
    }

    @Test func whatWasAddedCountsAsTheCheckSays() async throws {
        let root = try CheckRoot()
        try root.place("/requests.jsonl", Self.models)
        let server = try AnsweringPort([.init(body: #"{"items": [], "new": 1}"#)])
        for status in [CheckStatus.pass, .warn, .fail] {
            let asked = parameters(server.url, ["added": .text(status.rawValue)])
            try await root.expect("api_compatibility", Row(status.rawValue, asked, status))
        }
    }

    @Test func whatMayChangeSomethingIsSentOnlyIfTheCheckSaysSo() async throws {
        let root = try CheckRoot()
        try root.place(
            "/requests.jsonl",
            #"{"request": {"method": "POST", "path": "/x", "headers": {"X-A": "b"}, "body": "hi"}, "response": {"status": 200}}"#
        )
        let server = try AnsweringPort([.init(body: "ok")])
        for id in ["api_compatibility", "backward_compatibility"] {
            try await root.expect(
                id, Row("not sent", parameters(server.url), .unknown, says: "not sent"))
            #expect(server.asked.isEmpty)
        }
        try await root.expect(
            "api_compatibility",
            Row("sent", parameters(server.url + "/", ["unsafe": .flag(true)]), .pass))
        let asked = try #require(server.asked.first)
        #expect(asked.hasPrefix("POST /x HTTP/1.1\r\n") && asked.contains("X-A: b\r\n"))
        #expect(asked.contains("Content-Length: 2\r\n") && asked.hasSuffix("\r\n\r\nhi"))
    }

    @Test func slowAnswersAreTold() async throws {
        let root = try CheckRoot()
        try root.place(
            "/requests.jsonl", #"{"request": {"path": "/"}, "response": {"status": 200}}"#)
        let server = try AnsweringPort([.init(body: "", delay: 20_000)])
        let asked = parameters(server.url, ["latency_warn": .whole(1)])
        try await root.expect(
            "backward_compatibility", Row("slow", asked, .warn, says: "longer than"))
    }

    @Test(arguments: [
        "", "\n\n", "{", "[]", #"{"request": {}, "response": {"status": 200}}"#,
        #"{"request": {"path": "x"}, "response": {"status": 200}}"#,
        #"{"request": {"path": "/"}, "response": {"status": 20}}"#,
        #"{"request": {"path": "/", "body": {}}, "response": {"status": 200}}"#,
        #"{"request": {"path": "/", "method": "a b"}, "response": {"status": 200}}"#,
        #"{"request": {"path": "/", "headers": {"a": "b\r\nc: d"}}, "response": {"status": 200}}"#,
    ])
    func aRecordingThatAsksNothingIsUnknown(_ text: String) async throws {
        let root = try CheckRoot()
        try root.place("/requests.jsonl", text)
        let server = try AnsweringPort([.init(body: "{}")])
        try await root.expect("api_compatibility", Row(text, parameters(server.url), .unknown))
        #expect(server.asked.isEmpty)
    }

    @Test func aServiceThatCannotBeReachedNeverPasses() async throws {
        let root = try CheckRoot()
        try await root.expect(
            "api_compatibility", Row("no recording", parameters("http://127.0.0.1:1"), .unknown))
        try root.place("/requests.jsonl", Self.models)
        let port = try ListeningPort().port
        try await root.expect(
            "api_compatibility",
            Row("refused", parameters("http://127.0.0.1:\(port)"), .fail, says: "refused"))
        try await root.expect(
            "api_compatibility", Row("no URL", parameters("https://x"), .unknown, says: "is no URL")
        )
        let silent = try ListeningPort()
        let late = try await root.validate(
            "api_compatibility", parameters("http://127.0.0.1:\(silent.port)"),
            timeout: Milliseconds(200))
        #expect(late.status == .unknown)
    }
}

@Suite struct JSONShapeTests {
    @Test func eachElementMayHaveTheShapeOfAnyThatWasRecorded() throws {
        func differences(_ found: String, _ recorded: String) throws -> [String] {
            JSONShape(
                of: try #require(JSONTree(Array(found.utf8))),
                against: try #require(JSONTree(Array(recorded.utf8)))
            ).differences
        }
        #expect(try differences(#"[{"b": 1}, {"a": 1}]"#, #"[{"a": 1}, {"b": 1}]"#) == [])
        #expect(try differences(#"[{"c": 1}]"#, #"[{"a": 1}, {"b": 1}]"#) == ["$[].a is missing"])
        #expect(try differences("[1]", "[]") == [] && differences("1", "null") == [])
        #expect(try differences("null", "1") == ["$ is null, not a number"])
        #expect(try differences("true", "1") == ["$ is a boolean, not a number"])
    }
}
