import FleetWire
import FoundationEssentials
import RolloutCalendar
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

    static let full = repository + "deploy/examples/full-rollout.yaml"

    @Test func `the full example says all that a plan can say of how it moves`() throws {
        let loaded: LoadedPlan
        do {
            loaded = try PlanLoader.load(
                path: Self.full, zones: ZoneFolder.ofThisMachine.lookup)
        } catch {
            Issue.record("\(error.rendered())")
            return
        }
        #expect(loaded.warnings.isEmpty)
        let fleet = (1...40).map { number in
            FleetHost(
                id: HostID(unchecked: "shop-\(number)"),
                labels: ["app": "shop", "zone": ["a", "b", "c", "d"][number % 4]],
                facts: ["kernel": "6.\(number / 20)", "arch": number == 9 ? "arm64" : "amd64"])
        }
        let resolved = try loaded.plan.resolve(against: fleet)
        #expect(resolved.waves.map(\.name) == ["canary", "tenth", "rest"])
        #expect(resolved.waves.map(\.hosts.count) == [3, 4, 33])
        #expect(
            resolved.waves[0].uncovered == [
                "arch=arm64 (1 host)", "zone=c (10 hosts)", "zone=d (10 hosts)",
            ])
        #expect(resolved.waves[1].growth == WaveGrowth(from: 1, factor: 2))
        let kinds = resolved.waves.flatMap(\.gates).map(\.probe).map { probe in
            switch probe {
            case .checks: "checks"
            case .approval: "approval"
            case .metric: "metric"
            case .webhook: "webhook"
            case .prometheus: "prometheus"
            }
        }
        #expect(
            kinds == ["checks", "metric", "approval", "prometheus", "webhook", "approval"])
        #expect(resolved.pace.progressDeadline == .seconds(1800))
        #expect(resolved.pace.healthyDeadline == .seconds(300))
        #expect(resolved.pace.rehearses)
        #expect(resolved.pace.calendar?.windows.map(\.days) == [[1, 2, 3, 4], [6]])
        #expect(
            resolved.absence == AbsencePolicy(late: .skip, converges: true, massLossPercent: 25))
        #expect(
            resolved.returning.pointOfNoReturn == ApprovalRule(persons: 2, expires: .seconds(3600)))
        #expect(resolved.irreversibleSteps == ["drop-old-exports"])
        #expect(resolved.returning.compatibleWith["flags"]?.count == 4)
        #expect(resolved.returning.quarantineFor == .seconds(7 * 86_400))
        #expect(resolved.limits.unavailablePerDomainMax == 2)
        #expect(resolved.budget.fleet == 2)
        #expect(resolved.budget.wave == 1)
        #expect(resolved.budget.domain == 1)
        let again = try WireJSON.decode(ResolvedPlan.self, from: try WireJSON.encode(resolved))
        #expect(again == resolved)
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

/// A plan with files beside it, in a folder of its own.
struct InliningTests {
    private static func withPlan(
        _ files: [String: String], _ body: (_ path: String) throws -> Void
    ) throws {
        let folder = "/tmp/belay-plan-\(UInt64.random(in: 0...UInt64.max))"
        let manager = FileManager.default
        try manager.createDirectory(atPath: folder + "/sub", withIntermediateDirectories: true)
        defer { try? manager.removeItem(atPath: folder) }
        for (name, text) in files {
            try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)"))
        }
        try body(folder + "/plan.yaml")
    }

    private static let plan = """
        belay: 1
        name: p
        targets: {selector: app}
        artifacts: {release: {file: sub/release.tar}}
        components:
          app: {files: {paths: [/opt/app]}}
          db: {sqlite: {path: /var/app.db}}
        stages:
          migration:
            steps:
              - {name: a, artifact: {artifact: release, destination: /opt/app/2}}
              - {name: b, config: {path: /opt/app/x.yaml, template_file: sub/x.yaml}}
              - {name: c, sqlite: {path: /var/app.db, migrations: [{version: 1, sql_file: 1.sql}]}}
          verification:
            checks: [{name: h, http: {url: "http://127.0.0.1/"}}]
        """

    @Test func `files beside the plan are put into it and artifacts are hashed`() throws {
        let files = [
            "plan.yaml": Self.plan, "sub/release.tar": "hello\n", "sub/x.yaml": "a: {{ host.id }}",
            "1.sql": "SELECT 1;",
        ]
        try Self.withPlan(files) { path in
            let loaded = try PlanLoader.load(path: path)
            let artifact = loaded.plan.artifacts[0]
            #expect(
                artifact.digest.hex
                    == "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03")
            #expect(artifact.size == ByteCount(6))
            let file = try #require(loaded.artifactFiles[artifact.digest])
            #expect(try bytes(of: file) == Array("hello\n".utf8))
            let text = String(decoding: try WireJSON.encode(loaded.plan), as: UTF8.self)
            #expect(text.contains("a: {{ host.id }}") && text.contains("SELECT 1;"))
        }
    }

    @Test func `files that are wrong are problems at the keys that name them`() throws {
        let files = [
            "plan.yaml": Self.plan, "sub/release.tar": "", "sub/x.yaml": "ok\n{{ vars.x }}",
        ]
        try Self.withPlan(files) { path in
            do throws(PlanProblems) {
                _ = try PlanLoader.load(path: path)
                Issue.record("the plan was taken")
            } catch {
                let found = error.problems.map { "\($0.line):\($0.column)" }
                #expect(found == ["4:29", "12:66", "13:83"])
                #expect(error.rendered().contains("(line 2 of the text)"))
            }
        }
    }

    @Test func `a plan that is not there, or a folder, is an error without a place`() {
        for path in ["/tmp/belay-no-such-plan.yaml", "/tmp", "/dev/null"] {
            do throws(PlanProblems) {
                _ = try PlanLoader.load(path: path)
                Issue.record("\(path) was taken")
            } catch {
                #expect(error.problems.count == 1)
                #expect(error.rendered().hasPrefix("\(path): error: "))
            }
        }
    }
}
