import FleetWire
import FoundationEssentials
import RolloutPlan
import Testing

/// Each `Lint/NAME.yaml` has its problems, as a terminal shows them, in `Lint/NAME.txt`.
/// `BELAY_REWRITE=1 swift test --filter RolloutPlanTests` writes them anew.
struct LintTests {
    static let folder = repository + "Tests/RolloutPlanTests/Lint"
    static let isRewriting = ProcessInfo.processInfo.environment["BELAY_REWRITE"] == "1"

    static let names: [String] = {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return all.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
    }()

    @Test func `there are plans to lint`() { #expect(Self.names.count > 10) }

    @Test(arguments: names)
    func `a bad plan is told all its problems with their places`(name: String) throws {
        let source = try bytes(of: "\(Self.folder)/\(name).yaml")
        let text = String(decoding: source, as: UTF8.self)
        // A folder that is not there, so that messages are the same on every machine.
        let found = Self.problems(source).rendered(source: text)
        let golden = "\(Self.folder)/\(name).txt"
        if Self.isRewriting {
            try Data(found.utf8).write(to: URL(filePath: golden))
        } else {
            #expect(found == String(decoding: try bytes(of: golden), as: UTF8.self))
        }
    }

    /// The same on every machine.
    private static let zones: ZoneLookup = { name in
        let known = ["America/New_York", "Europe/Berlin", "UTC"]
        return known.contains(name) ? .known : .unknown(known: known)
    }

    private static func problems(_ source: [UInt8]) -> PlanProblems {
        do {
            let loaded = try PlanLoader.load(bytes: source, path: "plans/p.yaml", zones: zones)
            return PlanProblems(loaded.warnings)
        } catch {
            return error
        }
    }
}
