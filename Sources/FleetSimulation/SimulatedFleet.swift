import FleetWire
package import RolloutPlan

/// Hosts that a plan can be held against when there is no fleet.
package enum SimulatedFleet {
    /// `count` hosts whose labels the plan's selectors match, spread over the values that they name;
    /// fewer if the plan names its hosts one by one.
    package static func make(for plan: Plan, count: Int) -> [FleetHost] {
        let labels = labels(of: plan)
        let wanted = plan.targets.selector.flatMap { try? Selector(parsing: $0) }
        let named = Set(plan.targets.hosts + plan.strategy.waves.flatMap(\.hosts)).sorted()
        var hosts: [FleetHost] = []
        let all = combinations(labels)
        let matching = all.filter { wanted?.matches($0) ?? true }
        for (number, id) in named.prefix(count).enumerated() {
            hosts.append(FleetHost(id: id, labels: pick(matching, number)))
        }
        guard wanted != nil, !matching.isEmpty else { return hosts }
        let width = String(count).count
        while hosts.count < count {
            let digits = String(hosts.count + 1)
            let zeros = String(repeating: "0", count: max(0, width - digits.count))
            hosts.append(
                FleetHost(
                    id: HostID(unchecked: "host-\(zeros)\(digits)"),
                    labels: pick(matching, hosts.count)))
        }
        return hosts
    }

    private static func pick(_ choices: [[String: String]], _ number: Int) -> [String: String] {
        choices.isEmpty ? [:] : choices[number % choices.count]
    }

    /// Each label with the values that the plan's selectors name, and one that they do not; what
    /// a wave covers has values too.
    private static func labels(of plan: Plan) -> [(name: String, values: [String])] {
        let texts = [plan.targets.selector] + plan.strategy.waves.map(\.selector)
        var values: [String: Set<String>] = [:]
        for selector in texts.compactMap({ $0 }).compactMap({ try? Selector(parsing: $0) }) {
            values.merge(selector.namedValues) { $0.union($1) }
        }
        for name in plan.strategy.waves.flatMap({ $0.cover ?? [] }) where values[name] == nil {
            values[name] = ["one", "other"]
        }
        if let domain = plan.strategy.domain {
            let known = values[domain] ?? []
            values[domain] = known.count < 2 ? known.union(["a", "b", "c"]) : known
        }
        return values.keys.sorted().map { name in
            let known = (values[name] ?? []).sorted()
            return (name, name == plan.strategy.domain ? known : known + ["simulated"])
        }
    }

    /// Every way to give each label one of its values, at most 10,000.
    private static func combinations(
        _ labels: [(name: String, values: [String])]
    ) -> [[String: String]] {
        var all: [[String: String]] = [[:]]
        for label in labels where all.count * (label.values.count + 1) <= 10_000 {
            var next: [[String: String]] = []
            for some in all {
                for value in label.values {
                    var one = some
                    one[label.name] = value
                    next.append(one)
                }
                // Labels that selectors forbid are left out.
                if label.values == ["simulated"] { next.append(some) }
            }
            all = next
        }
        return all
    }
}
