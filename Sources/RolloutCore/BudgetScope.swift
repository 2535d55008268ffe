import RolloutPlan

/// One scope of the failure budget and what was lost in it.
struct BudgetScope {
    /// `fleet`, `wave canary`, `domain a`.
    var name: String
    /// Hosts that went wrong, in that order.
    var lost: [Int]
    /// Hosts in the scope.
    var total: Int
    var limit: Int
    /// What the limit was made of; nil if the plan writes a count.
    var share: BudgetShare?

    /// `2 of 20 lost (10 %), 1 allowed: 5 % of 20 rounded down`.
    var arithmetic: String {
        let percent = total == 0 ? 0 : (lost.count * 1000 / total)
        let shown = percent % 10 == 0 ? "\(percent / 10)" : "\(percent / 10).\(percent % 10)"
        let origin = share.map { share in
            let base = share.of == total ? "\(share.of)" : "\(share.of), the smallest of its kind,"
            return ": \(share.percent) % of \(base) rounded down"
        }
        return "\(lost.count) of \(total) lost (\(shown) %), \(limit) allowed\(origin ?? "")"
    }
}

extension RolloutMachine {
    var fleetScope: BudgetScope? {
        plan.map {
            BudgetScope(
                name: "fleet", lost: spent, total: hosts.count, limit: $0.budget.fleet,
                share: $0.budget.fleetShare)
        }
    }

    func waveScope(_ number: Int) -> BudgetScope? {
        guard let budget = plan?.budget, let limit = budget.wave else { return nil }
        return BudgetScope(
            name: "wave \(waveName(number))", lost: spent.filter { hosts[$0].wave == number },
            total: waves[number].hosts.count, limit: limit, share: budget.waveShare)
    }

    func domainScope(_ domain: Int) -> BudgetScope? {
        guard let budget = plan?.budget, let limit = budget.domain else { return nil }
        return BudgetScope(
            name: "domain \(domainName(domain))", lost: spent.filter { hosts[$0].domain == domain },
            total: hosts.count { $0.domain == domain }, limit: limit, share: budget.domainShare)
    }

    /// Every scope that has a limit.
    var budgetScopes: [BudgetScope] {
        [fleetScope].compactMap { $0 } + waves.indices.compactMap(waveScope)
            + domains.indices.compactMap(domainScope)
    }
}
