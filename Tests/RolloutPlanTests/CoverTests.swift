import FleetWire
import RolloutPlan
import Testing

/// How hosts are ordered and how the canary is chosen.
struct CoverTests {
    private func host(
        _ name: String, _ zone: String, arch: String? = "amd64", role: String? = nil
    ) -> FleetHost {
        var labels = ["app": "web", "zone": zone]
        labels["role"] = role
        return FleetHost(
            id: HostID(unchecked: name), labels: labels, facts: arch.map { ["arch": $0] } ?? [:])
    }

    private var fleet: [FleetHost] {
        [
            host("a1", "a"), host("a2", "a"), host("a3", "a"), host("a4", "a", arch: "arm64"),
            host("b1", "b"), host("b2", "b"), host("c1", "c"), host("c2", "c"), host("c3", "c"),
        ]
    }

    private func resolved(
        _ waves: [Plan.Wave], _ fleet: [FleetHost]? = nil
    ) throws -> [ResolvedWave] {
        var plan = try PlanLoader.load(path: LoadingTests.example).plan
        plan.targets.selector = "app=web"
        plan.strategy.waves = waves
        return try plan.resolve(against: fleet ?? self.fleet).waves
    }

    private func wave(
        _ size: Count?, _ cover: [String]? = nil, selector: String? = nil, _ name: String = "canary"
    ) -> Plan.Wave {
        Plan.Wave(
            name: name, size: size, selector: selector, hosts: [], soak: .zero, gates: [],
            cover: cover)
    }

    private func names(_ wave: ResolvedWave) -> [String] { wave.hosts.map(\.rawValue) }

    @Test func `the smallest domain goes first, then by name, within one by id`() throws {
        let waves = try resolved([wave(nil)])
        #expect(names(waves[0]) == ["b1", "b2", "c1", "c2", "c3", "a1", "a2", "a3", "a4"])
    }

    @Test func `the first wave with a size covers kernel, arch, role and zone`() throws {
        let waves = try resolved([wave(.number(3))])
        // a4 brings a zone and the other architecture; the order stays that of the domains.
        #expect(names(waves[0]) == ["b1", "c1", "a4"])
        #expect(waves[0].uncovered.isEmpty)
        #expect(names(waves[1]) == ["b2", "c2", "c3", "a1", "a2", "a3"])
    }

    @Test func `what stays uncovered is said with its hosts`() throws {
        var fleet = fleet
        fleet.append(host("d1", "d", arch: nil, role: "db"))
        let waves = try resolved([wave(.number(1))], fleet)
        #expect(names(waves[0]) == ["d1"])
        #expect(
            waves[0].uncovered == [
                "arch=amd64 (8 hosts)", "arch=arm64 (1 host)", "no role (9 hosts)",
                "zone=a (4 hosts)", "zone=b (2 hosts)", "zone=c (3 hosts)",
            ])
    }

    @Test func `more than is needed is filled in order of domains`() throws {
        let waves = try resolved([wave(.number(5), ["arch"])])
        #expect(names(waves[0]) == ["b1", "b2", "c1", "c2", "a4"])
    }

    @Test func `a later wave covers what earlier ones did not, if it is asked to`() throws {
        let waves = try resolved([
            wave(.number(1), [], selector: "zone=b"), wave(.number(2), ["zone"], "second"),
        ])
        #expect(names(waves[0]) == ["b1"])
        #expect(waves[0].uncovered.isEmpty)
        #expect(names(waves[1]) == ["c1", "a1"])
        #expect(waves[1].uncovered.isEmpty)
        let plain = try resolved([
            wave(.number(1)), wave(.number(2), nil, selector: nil, "second"),
        ])
        #expect(names(plain[1]).count == 2)
        #expect(plain[1].uncovered.isEmpty)
    }

    @Test func `a selector that keeps values out does not hide that they are uncovered`() throws {
        let waves = try resolved([wave(.number(2), ["zone"], selector: "zone=a")])
        #expect(names(waves[0]) == ["a1", "a2"])
        #expect(waves[0].uncovered == ["zone=b (2 hosts)", "zone=c (3 hosts)"])
    }

    @Test func `cover of something that no host has is refused with the nearest name`() throws {
        do {
            _ = try resolved([wave(.number(2), ["zone", "arhc"])])
            Issue.record("it was taken")
        } catch let problems as PlanProblems {
            #expect(
                problems.problems.map(\.message) == [
                    "strategy.waves[0].cover[1]: none of the 9 targets has a fact or label `arhc`; "
                        + "did you mean `arch`?"
                ])
        }
    }

    @Test func `the choice is the same whatever order the fleet has`() throws {
        let forward = try resolved([wave(.percent(50))])
        #expect(forward == (try resolved([wave(.percent(50))], fleet.reversed())))
        // 50 % of 9 is 4.
        #expect(forward[0].hosts.count == 4)
    }

    @Test func `the greedy choice always takes a host that gains most`() {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<200 {
            let fleet = (0..<30).map { number in
                FleetHost(
                    id: HostID(unchecked: "h\(number)"),
                    labels: ["a", "b", "c"].reduce(into: [:]) { labels, name in
                        labels[name] = String(Int.random(in: 0..<5, using: &generator))
                    })
            }
            let names = ["a", "b", "c"]
            let count = Int.random(in: 1...10, using: &generator)
            var cover = WaveCover(names, hosts: fleet)
            let chosen = Set(cover.choose(count, from: fleet.map(\.id)))
            // The plain form of the rule, host by host.
            var expected: Set<HostID> = []
            var seen: Set<String> = []
            while expected.count < count {
                func gain(_ host: FleetHost) -> Int {
                    names.count { !seen.contains("\($0)=\(host.labels[$0] ?? "")") }
                }
                let left = fleet.filter { !expected.contains($0.id) }
                let most = left.map(gain).max() ?? 0
                guard let best = left.first(where: { gain($0) == most }) else { break }
                expected.insert(best.id)
                seen.formUnion(names.map { "\($0)=\(best.labels[$0] ?? "")" })
            }
            #expect(chosen == expected)
        }
    }

    @Test func `twenty thousand hosts are covered in no time`() throws {
        let fleet = (0..<20_000).map { number in
            FleetHost(
                id: HostID(unchecked: "h\(number)"), labels: ["app": "web", "zone": "a"],
                facts: ["kernel": "6.\(number)"])
        }
        let clock = ContinuousClock()
        var waves: [ResolvedWave] = []
        let took = try clock.measure { waves = try resolved([wave(.percent(10))], fleet) }
        #expect(waves[0].hosts.count == 2000)
        #expect(waves[0].uncovered.count == 51)
        #expect(waves[0].uncovered.last == "17950 more")
        #expect(took < .seconds(10))
    }
}
