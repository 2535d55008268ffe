package import FleetWire

/// How far a checklist is.
package struct ChecklistProgress: Codable, Sendable, Hashable {
    /// How many items stand where; states that none is in are left out.
    package var counts: [String: Int]
    /// Items of all.
    package var total: Int
    /// Completed and skipped items in percent, rounded down; 100 only if no item is left.
    package var percent: Int
    /// The items that are left and take longest one after the other, in that order.
    package var criticalPath: [String]
    /// How long they take by their estimates.
    package var remaining: Milliseconds
    /// Items left that have no estimate; with any, `remaining` is the least that it takes.
    package var unestimated: [String]
}

extension Checklist {
    /// How far it is at `now`. An item in progress takes what is left of its estimate.
    package func progress(at now: Timestamp) -> ChecklistProgress {
        var counts: [String: Int] = [:]
        for place in items.indices { counts[state(of: place).rawValue, default: 0] += 1 }
        let settled = records.count { $0.state.isSettled }
        let path = criticalPath(at: now)
        return ChecklistProgress(
            counts: counts, total: items.count,
            percent: items.isEmpty ? 100 : settled * 100 / items.count,
            criticalPath: path.items.map { items[$0].id }, remaining: path.span,
            unestimated: items.indices
                .filter { !records[$0].state.isSettled && items[$0].estimate == nil }
                .map { items[$0].id })
    }

    /// Critical items that are neither completed nor skipped; the rollout waits for them.
    package var openCritical: [Int] {
        items.indices.filter { items[$0].isCritical && !records[$0].state.isSettled }
    }

    /// Items that nothing keeps from being worked on: ready ones, those in progress, failed ones.
    package var workable: [Int] {
        items.indices.filter { place in
            switch records[place].state {
            case .pending: waitsFor(place) == nil
            case .inProgress, .failed: true
            case .completed, .skipped, .blocked: false
            }
        }
    }

    private func left(of place: Int, at now: Timestamp) -> Milliseconds {
        guard let estimate = items[place].estimate, !records[place].state.isSettled else {
            return .zero
        }
        guard records[place].state == .inProgress, let started = records[place].startedAt else {
            return estimate
        }
        return max(.zero, Milliseconds(estimate.count - max(0, now.since(started).count)))
    }

    /// Of ways of the same length the one with more items, then the one that stands first.
    private func criticalPath(at now: Timestamp) -> (items: [Int], span: Milliseconds) {
        var best: [(items: [Int], span: Milliseconds)] = items.map { _ in ([], .zero) }
        func isLonger(
            _ left: (items: [Int], span: Milliseconds), _ right: (items: [Int], span: Milliseconds)
        ) -> Bool {
            (left.span, left.items.count) > (right.span, right.items.count)
        }
        var longest: (items: [Int], span: Milliseconds) = ([], .zero)
        for place in order where !records[place].state.isSettled {
            var way: (items: [Int], span: Milliseconds) = ([], .zero)
            for earlier in before[place] where isLonger(best[earlier], way) { way = best[earlier] }
            best[place] = (way.items + [place], way.span + left(of: place, at: now))
            if isLonger(best[place], longest) { longest = best[place] }
        }
        return longest
    }
}
