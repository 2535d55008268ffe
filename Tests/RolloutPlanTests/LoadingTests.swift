import FleetWire
import FoundationEssentials
import RolloutPlan
import Testing

/// The repository's root.
let repository = String(#filePath.dropLast("Tests/RolloutPlanTests/LoadingTests.swift".count))

func bytes(of path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(filePath: path)))
}

/// Six hosts in three zones.
let sixHosts = (1...6).map { number in
    FleetHost(
        id: HostID(unchecked: "registry-\(number)"),
        labels: [
            "app": "registry", "zone": ["a", "b", "c"][(number - 1) / 2], "port": "80\(number)0",
        ])
}

struct LoadingTests {
    static let example = repository + "deploy/examples/first-rollout.yaml"

    @Test func `the example loads without a problem and resolves against six hosts`() throws {
        let loaded: LoadedPlan
        do {
            loaded = try PlanLoader.load(path: Self.example)
        } catch {
            Issue.record("\(error.rendered())")
            return
        }
        #expect(loaded.warnings.isEmpty)
        let plan = loaded.plan
        #expect(plan.stages.flatMap(\.steps).count == 8)
        let resolved = try plan.resolve(against: sixHosts)
        #expect(resolved.waves.map(\.name) == ["canary", "zone-a", "rest"])
        #expect(resolved.waves.map(\.hosts.count) == [1, 1, 4])
        #expect(resolved.planDigest == plan.digest)
    }

    @Test func `a plan survives JSON, names in camel case included`() throws {
        var plan = try PlanLoader.load(path: Self.example).plan
        plan.variables["camelCase_x"] = "1"
        plan.strategy.parallelMax = .percent(10)
        let bytes = try WireJSON.encode(plan)
        let again = try WireJSON.decode(Plan.self, from: bytes)
        #expect(again == plan)
        #expect(again.digest == plan.digest)
    }
}
