import FleetWire
import RolloutPlan
import Testing

struct ResolveTests {
    private func plan() throws -> Plan {
        var plan = try PlanLoader.load(path: LoadingTests.example).plan
        plan.strategy.waves = []
        return plan
    }

    private func message(_ plan: Plan, _ fleet: [FleetHost] = sixHosts) -> String {
        do {
            _ = try plan.resolve(against: fleet)
            return "resolved"
        } catch {
            return error.problems.map(\.message).joined(separator: "\n")
        }
    }

    @Test func `hosts go in order of domain and name, whatever order the fleet has`() throws {
        let plan = try plan()
        let forward = try plan.resolve(against: sixHosts)
        let backward = try plan.resolve(against: sixHosts.reversed() + sixHosts)
        #expect(forward == backward)
        #expect(forward.hosts.map(\.id.rawValue) == (1...6).map { "registry-\($0)" })
        #expect(forward.hosts.map(\.domain) == ["a", "a", "b", "b", "c", "c"])
        #expect(forward.waves.map(\.name) == ["all"])
    }

    @Test func `waves take hosts once, and the rest forms the last`() throws {
        var plan = try plan()
        plan.strategy.waves = [
            wave("canary", size: .number(1)), wave("half", size: .percent(50)),
            wave("c", selector: "zone=c"),
        ]
        let resolved = try plan.resolve(against: sixHosts)
        #expect(resolved.waves.map(\.hosts.count) == [1, 3, 2])
        plan.strategy.waves.removeLast()
        let rest = try plan.resolve(against: sixHosts)
        #expect(rest.waves.map(\.name) == ["canary", "half", "rest"])
        #expect(Set(rest.waves.flatMap(\.hosts)).count == 6)
        plan.strategy.waves[0].hosts = [HostID(unchecked: "registry-6")]
        #expect(try plan.resolve(against: sixHosts).hosts[0].id.rawValue == "registry-6")
    }

    @Test func `percentages round down, limits to at least one`() throws {
        var plan = try plan()
        plan.strategy.parallelMax = .percent(10)
        plan.strategy.unavailableMax = .percent(50)
        plan.strategy.unavailablePerDomainMax = .percent(30)
        plan.budget = Plan.Budget(fleet: .percent(40), wave: .percent(49), domain: .percent(50))
        let resolved = try plan.resolve(against: Array(sixHosts.dropLast()))
        #expect(resolved.limits.parallelMax == 1)
        #expect(resolved.limits.unavailableMax == 2)
        #expect(resolved.limits.unavailablePerDomainMax == 1)
        // 40 % of 5; 49 % of the only wave; 50 % of the smallest domain, which has one host.
        #expect(resolved.budget.fleet == 2)
        #expect(resolved.budget.wave == 2)
        #expect(resolved.budget.domain == 0)
    }

    @Test func `what does not fit is said with the nearest name`() throws {
        var plan = try plan()
        plan.targets.selector = "ap=registry"
        #expect(
            message(plan) == "targets.selector: `ap=registry` matches none of the 6 hosts; no host "
                + "has the label `ap`; did you mean `app`?; labels that exist: app=registry, "
                + "port=8010|8020|8030|8040|8050|…, zone=a|b|c")
        #expect(message(plan, []).contains("no hosts yet"))
        plan.targets.hosts = [HostID(unchecked: "registy-1")]
        #expect(message(plan).contains("did you mean `registry-1`?"))
        plan = try self.plan()
        plan.strategy.domain = "zones"
        #expect(message(plan).contains("did you mean `zone`?"))
    }

    @Test func `an empty wave is refused`() throws {
        var plan = try plan()
        plan.strategy.waves = [wave("w", size: .percent(10))]
        #expect(message(plan).contains("10% of 6 hosts is 0"))
        plan.strategy.waves = [wave("w", selector: "zone=d")]
        #expect(message(plan).contains("none of the 6 hosts that are left matches"))
        plan.strategy.waves = [wave("w"), wave("v")]
        #expect(message(plan).contains("the waves before it take all 6 hosts"))
        plan.strategy.waves = [wave("rest", size: .number(1))]
        #expect(message(plan).contains("give it another"))
    }

    @Test func `a plan that came by the API is checked like a file`() throws {
        var plan = try plan()
        plan.components.removeAll { $0.name.rawValue == "settings" }
        #expect(message(plan).contains("stages.migration.steps[3].config.path: "))
        plan = try self.plan()
        plan.budget.fleet = .number(-1)
        plan.confirmWithin = Milliseconds(.min)
        plan.strategy.parallelMax = .percent(.max)
        plan.stages[2].steps[0].action = .unknown("reboot")
        plan.components[0].driver = .unknown("btrfs")
        let found = message(plan)
        for text in ["budget.fleet", "confirm_within", "max_parallel", "`reboot`", "`btrfs`"] {
            #expect(found.contains(text))
        }
    }

    private func wave(_ name: String, size: Count? = nil, selector: String? = nil) -> Plan.Wave {
        Plan.Wave(name: name, size: size, selector: selector, hosts: [], soak: .zero, gates: [])
    }
}

struct HostileTests {
    @Test func `a plan from elsewhere with ill-formed names is refused`() throws {
        var plan = try PlanLoader.load(path: LoadingTests.example).plan
        plan.name = "../x"
        plan.components[0].name = ComponentName(unchecked: "..")
        plan.artifacts.append(plan.artifacts[0])
        plan.stages.append(plan.stages[0])
        var check = try #require(plan.strategy.waves[0].gates[0].checks.first)
        check.kind = .http(HTTPCheck(url: "http:///x", status: [7], contains: ""))
        plan.strategy.waves[0].gates[0].probe = .checks([check])
        do {
            _ = try plan.resolve(against: sixHosts)
            Issue.record("the plan was taken")
        } catch {
            let found = error.problems.map(\.message).joined(separator: "\n")
            for text in [
                "`../x` is not a name", "`..` is not a name", "stands twice", "7 is not a status",
                "any body contains this", "http://host",
            ] { #expect(found.contains(text)) }
        }
    }

    @Test func `five thousand hosts resolve in no time`() throws {
        var plan = try PlanLoader.load(path: LoadingTests.example).plan
        let fleet = (0..<5000).map { number in
            FleetHost(
                id: HostID(unchecked: "h\(number)"),
                labels: ["app": "registry", "zone": ["a", "b", "c"][number % 3]])
        }
        plan.strategy.waves.append(
            Plan.Wave(
                name: "named", size: nil, selector: "zone=b",
                hosts: fleet.filter { $0.labels["zone"] == "b" }.map(\.id), soak: .zero, gates: []))
        let clock = ContinuousClock()
        var resolved: ResolvedPlan?
        let took = try clock.measure { resolved = try plan.resolve(against: fleet) }
        #expect(resolved?.hosts.count == 5000)
        #expect(took < .seconds(5))
    }
}
