import FleetWire
import Testing

@testable import HostValidators

@Suite struct DNSTests {
    private func asked(
        _ name: String, _ more: [String: ParameterValue] = [:]
    ) -> [String: ParameterValue] {
        ["name": .text(name)].merging(more) { $1 }
    }

    @Test func aNameOfThisHostResolves() async throws {
        let root = try CheckRoot()
        let home = ParameterValue.list([.text("127.0.0.1")])
        for row in [
            Row(
                "an address", asked("127.0.0.1", ["addresses": home, "exact": .flag(true)]), .pass),
            Row("another", asked("127.0.0.1", ["addresses": .list([.text("192.0.2.1")])]), .fail),
            Row("not a name", asked("no such name"), .fail),
        ] {
            try await root.expect("dns", row)
        }
    }

    @Test(arguments: [
        (
            ["192.0.2.1"], 5, [:] as [String: ParameterValue], CheckStatus.pass,
            "is 192.0.2.1, after 5ms"
        ),
        (["192.0.2.1"], 5, ["addresses": .list([.text("192.0.2.2")])], .fail, "not among"),
        (
            ["192.0.2.1", "192.0.2.2"], 5, ["addresses": .list([.text("192.0.2.2")])], .warn,
            "not expected"
        ),
        (
            ["192.0.2.1", "192.0.2.2"], 5,
            ["addresses": .list([.text("192.0.2.2")]), "exact": .flag(true)], .fail, "not expected"
        ),
        (["192.0.2.1"], 50, ["latency_warn": .whole(49)], .warn, "latency_warn"),
        (["192.0.2.1"], 50, ["latency_max": .whole(49)], .fail, "latency_max"),
    ])
    func anAnswerIsHeldAgainstWhatIsExpected(
        found: [String], took: Int64, parameters: [String: ParameterValue], status: CheckStatus,
        says: String
    ) {
        let finding = DNSValidator.judge(
            .addresses(Set(found)), took: Milliseconds(took),
            CheckParameters(values: asked("x.test", parameters)))
        #expect(finding.status == status)
        #expect((finding.measured + " " + (finding.threshold ?? "")).contains(says))
    }

    @Test func aResolverThatDoesNotAnswerIsUnknownAndANameThatIsNotThereFails() {
        let parameters = CheckParameters(values: asked("x.test"))
        #expect(
            DNSValidator.judge(.untold("try again"), took: .zero, parameters).status == .unknown)
        #expect(DNSValidator.judge(.noSuchName("no name"), took: .zero, parameters).status == .fail)
    }
}
