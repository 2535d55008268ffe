package import FleetWire

/// The checks of a score, each with its weight.
package struct WeightedChecks: Sendable {
    /// In their order.
    package private(set) var checks: [(check: CheckSpec, weight: Int)] = []
    /// What is wrong with them, one sentence each.
    package private(set) var problems: [String] = []

    /// Reads a list of JSON texts, as a parameter of the type `.list(.json)` holds it.
    package init(_ value: ParameterValue) {
        let items = value.list ?? []
        if items.isEmpty { problems.append("no check is given; without one nothing is asked") }
        var reader = ParameterReader()
        var weights: [Int] = []
        var bodies: [ParameterValue] = []
        for (index, item) in items.enumerated() {
            guard let text = item.text,
                let parsed = try? WireJSON.decode(ParameterValue.self, from: Array(text.utf8)),
                var members = parsed.map
            else {
                problems.append("checks[\(index)]: expected a mapping")
                continue
            }
            let weight = members.removeValue(forKey: "weight") ?? .whole(1)
            if let whole = weight.whole, (1...1_000_000).contains(whole) {
                weights.append(whole)
            } else {
                problems.append("checks[\(index)].weight: expected a whole number, at least 1")
                weights.append(1)
            }
            if members["migration_readiness"] != nil {
                problems.append("checks[\(index)]: a score cannot be part of a score")
            }
            bodies.append(.map(members))
        }
        let read = reader.checks(.list(bodies), at: "checks")
        problems += reader.problems
        if problems.isEmpty { checks = zip(read, weights).map { ($0, $1) } }
    }
}
