import FleetWire
import FoundationEssentials
import Glibc
import HostValidators
import Synchronization
import Testing
import Validation

@Suite struct RegistryTests {
    /// What plans may ask of hosts is what hosts can run, in the same order.
    @Test func theAgentHasWhatTheCatalogHas() {
        let wanted = ValidatorCatalog.all.filter { $0.scope == .host }.map(\.id)
        #expect(ValidatorRegistry.ids == wanted)
    }

    @Test func aValidatorThatIsNotKnownIsUnknownAndNeverPasses() async throws {
        let root = try CheckRoot()
        let call = ValidatorCall(id: "clairvoyance", parameters: [:])
        let result = try await root.check(.validator(call))
        #expect(result.status == .unknown && result.kind == "clairvoyance")
    }

    @Test(arguments: [
        ["host": ParameterValue.text("h")],
        ["host": .text("h"), "port": .text("5432")],
        ["host": .text("h"), "port": .whole(1), "from_the_future": .flag(true)],
        ["host": .text("{{ vars.nobody }}"), "port": .whole(1)],
    ])
    func parametersThatDoNotFitAreUnknown(_ parameters: [String: ParameterValue]) async throws {
        let call = ValidatorCall(id: "tcp", parameters: parameters)
        let result = try await CheckRoot().check(.validator(call))
        #expect(result.status == .unknown, "\(result.measured)")
    }

    @Test func theHostsFileSetsThresholdsAndTheResultSaysSo() async throws {
        let root = try CheckRoot()
        try root.place("/proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 500 kB\n")
        try root.place(
            ValidatorConfiguration.path,
            #"{"validators": {"memory_available": {"percent_min": "60%"}}}"#)
        let result = try await root.validate("memory_available", [:])
        #expect(result.status == .fail)
        #expect(
            result.parameters?.map { "\($0.name) \($0.value) \($0.origin.rawValue)" } == [
                "percent_min 60% configuration", "percent_warn 10% default",
            ])
        let planned = try await root.validate("memory_available", ["percent_min": .whole(20)])
        #expect(planned.status == .pass)
    }

    @Test func aMalformedFileOfTheHostMakesEveryResultUnknown() async throws {
        let root = try CheckRoot()
        try root.place(ValidatorConfiguration.path, #"{"validators": {"tpc": {}}}"#)
        let result = try await root.check(CheckRunnerTests.script("exit 0"))
        #expect(result.status == .unknown && result.measured.contains("did you mean `tcp`?"))
    }

    @Test func resultsAreToldAsTheyCome() async throws {
        let root = try CheckRoot()
        let told = Mutex<[String]>([])
        // `slow` ends only once the result of `quick` was told.
        let mark = root.path + "/told"
        let checks = [
            CheckSpec(
                name: "slow",
                kind: CheckRunnerTests.script("until test -e \(mark); do sleep 0.01; done"),
                timeout: .seconds(20)),
            CheckSpec(name: "quick", kind: CheckRunnerTests.script("exit 0")),
        ]
        let results = await CheckRunner(root: root.path).run(checks, context: root.context) {
            result in
            told.withLock { $0.append(result.name) }
            _ = FileManager.default.createFile(atPath: mark, contents: nil)
        }
        #expect(told.withLock { $0 } == ["quick", "slow"])
        #expect(results.map(\.name) == ["slow", "quick"])
        #expect(results.allSatisfy { $0.status == .pass })
    }

    @Test func aTimeoutEndsTheWholeProcessGroup() async throws {
        let root = try CheckRoot()
        let result = try await root.check(
            CheckRunnerTests.script("sh -c 'echo $$ > child; exec sleep 100' & wait"),
            timeout: Milliseconds(500))
        #expect(result.status == .unknown)
        let text = FileManager.default.contents(atPath: root.path + "/child") ?? Data()
        let child = try #require(
            Int32(String(decoding: text, as: UTF8.self).filter { $0.isNumber }))
        let deadline = ContinuousClock.now + .seconds(20)
        while kill(child, 0) == 0, ContinuousClock.now < deadline { await Task.yield() }
        #expect(kill(child, 0) != 0)
    }
}
