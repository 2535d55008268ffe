import FleetWire

/// What is wrong with a list of items.
package struct ChecklistProblem: Sendable, Hashable {
    /// The item that it is about, from 0.
    package var item: Int
    /// The entry of its dependencies, from 0; nil if it is about the item's id.
    package var dependency: Int?
    /// One sentence.
    package var message: String

    /// All that is wrong with the ids and dependencies of `items`, in their order.
    package static func all(in items: [ChecklistItem]) -> [ChecklistProblem] {
        var problems: [ChecklistProblem] = []
        var index: [String: Int] = [:]
        for (number, item) in items.enumerated() {
            if let first = index[item.id] {
                problems.append(
                    ChecklistProblem(
                        item: number, message: "item \(first + 1) has the id `\(item.id)` too"))
            } else {
                index[item.id] = number
            }
        }
        for (number, item) in items.enumerated() {
            var seen: Set<String> = []
            for (place, name) in item.dependsOn.enumerated() {
                let message: String
                if !seen.insert(name).inserted {
                    message = "`\(name)` stands twice among what `\(item.id)` depends on"
                } else if name == item.id {
                    message = "`\(item.id)` depends on itself"
                } else if index[name] == nil {
                    message =
                        "no item has the id `\(name)`" + NearestName.hint(name, among: index.keys)
                } else {
                    continue
                }
                problems.append(
                    ChecklistProblem(item: number, dependency: place, message: message))
            }
        }
        problems += cycles(items, index)
        return problems.sorted { ($0.item, $0.dependency ?? -1) < ($1.item, $1.dependency ?? -1) }
    }

    /// One for each group of items that depend on each other, at a dependency that closes it.
    private static func cycles(
        _ items: [ChecklistItem], _ index: [String: Int]
    ) -> [ChecklistProblem] {
        let before = items.enumerated().map { number, item in
            item.dependsOn.compactMap { index[$0] }.filter { $0 != number }
        }
        return ChecklistOrder(before).cycles.map { cycle in
            let names = (cycle + [cycle[0]]).map { "`\(items[$0].id)`" }
            let next = items[cycle[cycle.count > 1 ? 1 : 0]].id
            return ChecklistProblem(
                item: cycle[0], dependency: items[cycle[0]].dependsOn.firstIndex(of: next),
                message: "items depend on each other: " + names.joined(separator: " on "))
        }
    }
}

/// Items after their dependencies, and the cycles that stand against it.
struct ChecklistOrder {
    /// All items that are in no cycle and behind none, each after its dependencies.
    private(set) var order: [Int] = []
    /// Cycles without an item in common, the lowest item of each first.
    private(set) var cycles: [[Int]] = []

    init(_ before: [[Int]]) {
        var left = Set(before.indices)
        var isMoving = true
        while isMoving {
            isMoving = false
            for item in before.indices
            where left.contains(item) && !before[item].contains(where: left.contains) {
                order.append(item)
                left.remove(item)
                isMoving = true
            }
        }
        // Each item that is left depends on one that is left, so that a walk must come round.
        while let first = left.min() {
            var way = [first]
            while let next = before[way[way.count - 1]].first(where: left.contains) {
                if let start = way.firstIndex(of: next) {
                    let cycle = Array(way[start...])
                    let lowest = cycle.indices.min { cycle[$0] < cycle[$1] } ?? 0
                    cycles.append(Array(cycle[lowest...] + cycle[..<lowest]))
                    break
                }
                way.append(next)
            }
            left.subtract(way)
            drop(&left, before)
        }
    }

    /// Takes away what only waited for items that were taken away.
    private func drop(_ left: inout Set<Int>, _ before: [[Int]]) {
        while let free = left.first(where: { !before[$0].contains(where: left.contains) }) {
            left.remove(free)
        }
    }
}
