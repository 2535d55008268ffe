import FleetWire
import Testing
import Validation

@Suite("Reports of validation")
struct ReportTests {
    private static func result(
        _ name: String, _ status: CheckStatus, _ level: CheckLevel = .critical
    ) -> CheckResult {
        CheckResult(
            name: name, kind: "tcp", level: level, status: status,
            measured: "\(name) <measured> & \"said\"\u{1B}[31m",
            remedy: status == .pass ? nil : "do this", took: Milliseconds(1234),
            threshold: status == .warn ? "longer than latency_warn, 1s" : nil,
            evidence: status == .fail ? ["line 1", "line 2"] : nil,
            parameters: [
                ShownParameter(name: "latency_warn", value: "1s", origin: .standard)
            ])
    }

    private static let results: [CheckResult] = [
        result("good", .pass), result("near", .warn), result("bad", .fail),
        result("open", .unknown, .warning), result("none", .notApplicable, .info),
    ]

    private static let report = ValidationReport(
        title: "validation", at: Timestamp(milliseconds: 5),
        asked: results.map { CheckSpec(name: $0.name, kind: .unknown("x"), level: $0.level) },
        hosts: [
            ValidationReport.Host(host: "h<1>", results: results),
            ValidationReport.Host(host: "h2", results: [], problem: "it is away"),
        ])

    @Test func `tables, JUnit and HTML are those of the golden files`() throws {
        let folder = repository + "Tests/ValidationTests/Golden/"
        try compare(Self.report.table().joined(separator: "\n") + "\n", with: folder + "table.txt")
        try compare(Self.report.junit, with: folder + "junit.xml")
        try compare(Self.report.html, with: folder + "report.html")
    }

    @Test func `what nothing was looked at for is never a pass`() {
        func verdict(_ statuses: [CheckStatus], _ policy: UnknownPolicy? = nil) -> Verdict {
            let results = statuses.enumerated().map { Self.result("c\($0)", $1) }
            let asked = results.map {
                CheckSpec(name: $0.name, kind: .unknown("x"), onUnknown: policy)
            }
            let hosts = [ValidationReport.Host(host: "h", results: results)]
            return ValidationReport(
                title: "t", at: Timestamp(milliseconds: 0), asked: asked, hosts: hosts
            ).verdict
        }
        #expect(verdict([.pass, .warn]) == .pass)
        #expect(verdict([.warn]) == .pass)
        #expect(verdict([.pass, .notApplicable]) == .pass)
        #expect(verdict([.notApplicable, .notApplicable]) == .inconclusive)
        #expect(verdict([.pass, .unknown]) == .inconclusive)
        #expect(verdict([.pass, .unknown], .warn) == .pass)
        #expect(verdict([.unknown, .unknown], .warn) == .inconclusive)
        #expect(verdict([.pass, .unknown, .fail]) == .fail)
        #expect(verdict([]) == .inconclusive)
        let none = ValidationReport(
            title: "t", at: Timestamp(milliseconds: 0), asked: [], hosts: [])
        #expect(none.verdict == .inconclusive && none.exitCode == 7)
        #expect(none.junit.contains("errors=\"1\"") && none.summary == "nothing was looked at")
    }
}
