import FleetWire
import Testing

@Suite("Values that travel")
struct ValueTests {
    @Test(
        "Identifiers are safe as file names",
        arguments: [
            ("a", true), ("web-1.example_x", true), ("A9", true), ("", false), (".", false),
            ("..", false), ("-a", false), ("a-", false), ("a/b", false), ("a b", false),
            ("ä", false), ("a\n", false), (String(repeating: "a", count: 128), true),
            (String(repeating: "a", count: 129), false),
        ])
    func identifiers(text: String, isGood: Bool) {
        #expect((HostID(text) != nil) == isGood)
    }

    @Test(
        "Digests are 64 lower-case hexadecimal digits",
        arguments: [
            (String(repeating: "0f", count: 32), true),
            ("sha256:" + String(repeating: "0f", count: 32), true),
            (String(repeating: "0F", count: 32), false), (String(repeating: "0", count: 63), false),
            ("md5:" + String(repeating: "0", count: 64), false), ("", false),
        ])
    func digests(text: String, isGood: Bool) { #expect((Digest(text) != nil) == isGood) }

    @Test("Arithmetic on time holds at the ends of the range")
    func saturation() {
        let end = Timestamp(milliseconds: .max)
        #expect(end + .seconds(1) == end)
        #expect(Timestamp(milliseconds: .min).since(end).count == .min)
        #expect((Milliseconds(.min) + Milliseconds(-1)).count == .min)
    }

    @Test("A verdict without anything looked at is never a pass")
    func verdictOfNothing() {
        let check = CheckSpec(name: "a", kind: .unknown("x"))
        #expect(Verdict(asked: [], found: []) == .inconclusive)
        #expect(Verdict(asked: [check], found: []) == .inconclusive)
        #expect(Verdict(asked: [check], found: [Self.result("a", .unknown)]) == .inconclusive)
        #expect(Verdict(asked: [check], found: [Self.result("b", .pass)]) == .inconclusive)
        #expect(Verdict(asked: [check], found: [Self.result("a", .notApplicable)]) == .inconclusive)
        #expect(Verdict(asked: [check], found: [Self.result("a", .fail)]) == .fail)
        #expect(Verdict(asked: [check], found: [Self.result("a", .pass)]) == .pass)
    }

    @Test("A failed check of a lower level does not fail the verdict, nor does it make it")
    func verdictOfLevels() {
        let info = CheckSpec(name: "i", kind: .unknown("x"), level: .info)
        let critical = CheckSpec(name: "c", kind: .unknown("x"))
        #expect(Verdict(asked: [info], found: [Self.result("i", .fail, .info)]) == .inconclusive)
        #expect(
            Verdict(
                asked: [info, critical],
                found: [Self.result("i", .fail, .info), Self.result("c", .pass)]) == .pass)
    }

    private static func result(
        _ name: String, _ status: CheckStatus, _ level: CheckLevel = .critical
    ) -> CheckResult {
        CheckResult(
            name: name, kind: "x", level: level, status: status, measured: "", remedy: nil,
            took: .zero)
    }

    @Test(
        "Scopes cover what they name",
        arguments: [
            (
                "full",
                [
                    "release", "settings", "flags", "catalog", "service", "certificates", "web",
                    "orders", "volume", "queue",
                ]
            ),
            ("flags", ["flags"]),
            ("config", ["settings", "certificates"]),
            ("data", ["catalog", "orders", "volume", "queue"]),
            ("component=service", ["service"]),
        ])
    func scopes(text: String, covered: [String]) throws {
        let scope = try #require(RollbackScope(text))
        #expect(SampleMessages.components.filter(scope.covers).map(\.name.rawValue) == covered)
        #expect(scope.description == text)
    }

    @Test("What a later version adds is read as unknown, never as something else")
    func unknownKinds() throws {
        let step = try WireJSON.decode(StepAction.self, from: Array(#"{"teleport":{"to":1}}"#.utf8))
        #expect(step == .unknown("teleport"))
        let check = try WireJSON.decode(CheckKind.self, from: Array(#"{"smell":{}}"#.utf8))
        #expect(check == .unknown("smell"))
        #expect(throws: (any Error).self) {
            try WireJSON.decode(StepAction.self, from: Array(#"{"run":{},"wait":{}}"#.utf8))
        }
    }

    @Test(
        "A moment is written in UTC",
        arguments: [
            (Int64(0), "1970-01-01T00:00:00Z"), (1_709_210_096_999, "2024-02-29T12:34:56Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"), (-1, "1970-01-01T00:00:00Z"),
            (Int64.max, "9999-12-31T23:59:59Z"),
        ])
    func utc(milliseconds: Int64, text: String) {
        #expect(Timestamp(milliseconds: milliseconds).utc == text)
    }
}
