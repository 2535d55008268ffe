import FleetWire
import Testing
import Validation

@testable import HostValidators

@Suite struct PerformanceBaselineTests {
    private func figures(_ milliseconds: [Double], errors: Int = 0) throws -> PerformanceFigures {
        try #require(PerformanceFigures(milliseconds: milliseconds, errors: errors))
    }

    private func baseline(_ figures: PerformanceFigures, of target: String) -> PerformanceBaseline {
        let isURL = target.hasPrefix("http")
        return PerformanceBaseline(
            url: isURL ? target : nil,
            argv: isURL ? nil : target.split(separator: " ").map(String.init), host: "h1",
            plan: nil,
            at: Timestamp(milliseconds: 0), figures: figures)
    }

    private func place(_ baseline: PerformanceBaseline, _ root: CheckRoot) throws {
        try root.place("/b.json", String(decoding: WireJSON.encode(baseline), as: UTF8.self))
    }

    @Test func percentilesAreTheNearestRanks() throws {
        let hundred = try figures((1...100).reversed().map(Double.init))
        #expect(hundred.p50 == 50 && hundred.p95 == 95 && hundred.errorRate == 0)
        let one = try figures([7], errors: 3)
        #expect(one.p50 == 7 && one.p95 == 7 && one.errorRate == 0.75 && one.samples == 4)
        #expect(PerformanceFigures(milliseconds: [], errors: 5) == nil)
        #expect(hundred.text == "p50 50.000ms, p95 95.000ms, 0.0% errors of 100")
    }

    @Test(arguments: [
        ([100.0, 100], 0, [:] as [String: ParameterValue], CheckStatus.pass, "p50 100.000ms"),
        ([50, 50], 0, [:], .pass, ""), ([119, 119], 0, [:], .pass, ""),
        ([121, 121], 0, [:], .warn, "slower_warn, 20.0%"),
        ([151, 151], 0, [:], .fail, "slower_max"),
        ([100, 160], 0, [:], .fail, "p95 is longer"),
        ([151, 151], 0, ["slack": .whole(60)], .pass, ""),
        ([151, 151], 0, ["slower_max": .whole(60)], .warn, "slower_warn"),
        ([100, 100], 1, [:], .fail, "more errors than errors_max"),
        ([100, 100], 1, ["errors_max": .whole(40)], .pass, ""),
    ])
    func figuresAreHeldAgainstTheBaseline(
        times: [Double], errors: Int, more: [String: ParameterValue], status: CheckStatus,
        says: String
    ) throws {
        let spec = ValidatorSpec.performanceBaseline
        let call = spec.call(
            ["baseline": .text("/b"), "url": .text("http://u")].merging(more) { $1 })
        let finding = PerformanceBaselineValidator.judge(
            try figures(times, errors: errors), baseline(try figures([100, 100]), of: "http://u"),
            CheckParameters(values: call.parameters))
        let said = finding.measured + " " + (finding.threshold ?? "")
        #expect(finding.status == status && said.contains(says), "\(said)")
        #expect(finding.metrics.map(\.name) == ["p50", "p95", "error_rate"])
    }

    @Test func anEndpointAndAProgramAreTimed() async throws {
        let root = try CheckRoot()
        let server = try AnsweringPort([.init(body: "ok")])
        let few: [String: ParameterValue] = [
            "baseline": .text("/b.json"), "samples": .whole(5), "warmup": .whole(2),
            "slack": .whole(10_000),
        ]
        let url = few.merging(["url": .text(server.url)]) { $1 }
        try place(baseline(try figures([1]), of: server.url), root)
        try await root.expect("performance_baseline", Row("an endpoint", url, .pass))
        #expect(server.asked.count == 7)
        let program = few.merging(["argv": .list([.text("/bin/true")])]) { $1 }
        try place(baseline(try figures([1]), of: "/bin/true"), root)
        try await root.expect("performance_baseline", Row("a program", program, .pass))
        let failing = few.merging(["argv": .list([.text("/bin/false")])]) { $1 }
        try place(baseline(try figures([1]), of: "/bin/false"), root)
        try await root.expect(
            "performance_baseline", Row("only errors", failing, .unknown, says: "every run failed"))
        let broken = try AnsweringPort([.init(body: ""), .init(status: 500, body: "")])
        let errors = few.merging(["url": .text(broken.url), "warmup": .whole(0)]) { $1 }
        try place(baseline(try figures([1]), of: broken.url), root)
        try await root.expect(
            "performance_baseline", Row("errors", errors, .fail, says: "80.0% errors of 5"))
        let moved = AnsweringPort.Answer(status: 399, body: "")
        let missing = try AnsweringPort([moved, .init(status: 404, body: "")])
        let gone = few.merging(["url": .text(missing.url), "warmup": .whole(0)]) { $1 }
        try place(baseline(try figures([1]), of: missing.url), root)
        try await root.expect(
            "performance_baseline",
            Row("a fast answer that nothing is there", gone, .fail, says: "80.0% errors of 5"))
    }

    @Test func withoutABaselineOfTheSameNothingIsKnown() async throws {
        let root = try CheckRoot()
        let asked: [String: ParameterValue] = [
            "baseline": .text("/b.json"), "argv": .list([.text("/bin/true")]), "samples": .whole(5),
        ]
        try await root.expect(
            "performance_baseline", Row("none", asked, .unknown, says: "no baseline"))
        for text in ["", "{}", "{\"version\": 1}"] {
            try root.place("/b.json", text)
            try await root.expect("performance_baseline", Row(text, asked, .unknown))
        }
        var old = baseline(try figures([1]), of: "/bin/true")
        old.version = 2
        try place(old, root)
        try await root.expect("performance_baseline", Row("a later version", asked, .unknown))
        try place(baseline(try figures([1]), of: "/bin/other"), root)
        try await root.expect(
            "performance_baseline", Row("another", asked, .unknown, says: "is of"))
        try place(baseline(try figures([1]), of: "/bin/sleep 5"), root)
        let slow = asked.merging(["argv": .list([.text("/bin/sleep"), .text("5")])]) { $1 }
        let late = try await root.validate(
            "performance_baseline", slow, timeout: Milliseconds(300))
        #expect(late.status == .unknown, "\(late)")
    }
}

@Suite struct MigrationReadinessTests {
    private func check(_ name: String, _ script: String, _ more: String = "") -> ParameterValue {
        .text(#"{"name": "\#(name)", "level": "warning", "run": {"shell": "\#(script)"}\#(more)}"#)
    }

    private func score(
        _ checks: [ParameterValue], _ more: [String: ParameterValue] = [:]
    ) -> [String: ParameterValue] {
        ["checks": .list(checks)].merging(more) { $1 }
    }

    @Test func theWeightOfWhatPassedIsTheScore() async throws {
        let root = try CheckRoot()
        let (good, bad) = (check("good", "true", #", "weight": 9"#), check("bad", "false"))
        let critical = #", "level": "critical""#
        let unknown = ParameterValue.text(
            #"{"name": "u", "level": "warning", "run": {"argv": ["/none"]}}"#)
        let warning = ParameterValue.text(
            #"{"name": "w", "memory_available": {"percent_min": 0, "percent_warn": 100}}"#)
        for row in [
            Row(
                "all", score([good, check("other", "true")]), .pass, says: "score 100.0 of 100 by 2"
            ),
            Row("most", score([good, bad]), .warn, says: "score 90.0 of 100 by 2"),
            Row("enough", score([good, bad], ["score_warn": .whole(90)]), .pass),
            Row(
                "too little", score([check("a", "true"), bad]), .fail, says: "below score_min, 80"),
            Row("unknown counts nothing", score([good, unknown]), .warn, says: "score 90.0"),
            Row("all unknown", score([unknown]), .fail, says: "score 0.0"),
            Row("a warning counts half", score([good, warning]), .pass, says: "score 95.0"),
            Row(
                "a critical failure",
                score([good, .text(#"{"name": "c", "run": {"shell": "false"}\#(critical)}"#)]),
                .fail,
                says: "c is critical and failed"),
            Row(
                "a critical unknown",
                score([good, .text(#"{"name": "c", "run": {"argv": ["/none"]}\#(critical)}"#)]),
                .unknown, says: "c is critical and unknown"),
            Row("none", score([]), .unknown, says: "no check is given"),
            Row(
                "no weight", score([check("a", "true", #", "weight": 0"#)]), .unknown,
                says: "weight"),
            Row("no validator", score([.text(#"{"name": "a", "run2": {}}"#)]), .unknown),
            Row("no JSON", score([.text("x")]), .unknown, says: "expected a mapping"),
            Row(
                "a score of scores",
                score([.text(#"{"name": "a", "migration_readiness": {"checks": []}}"#)]), .unknown),
        ] {
            try await root.expect("migration_readiness", row)
        }
        let result = try await root.validate("migration_readiness", score([good, bad]))
        #expect(result.evidence == ["pass good (9): exit 0", "fail bad (1): exit 1"])
    }

    @Test func partsEndWithTheWhole() async throws {
        let result = try await CheckRoot().validate(
            "migration_readiness", score([check("slow", "sleep 30", #", "timeout": "1m""#)]),
            timeout: Milliseconds(300))
        #expect(result.status != .pass && result.took < .seconds(10), "\(result)")
    }
}
