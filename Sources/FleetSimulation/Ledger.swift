import FleetWire
import RolloutCore
import RolloutPlan

/// The world's own books, kept apart from the machines that they are held against.
struct Ledger: Sendable {
    /// How many the plan allows, counted out by the world itself.
    let allowed: WorldLimits
    private let domains: [String]
    private let waves: [Int]
    /// Hosts that certainly count against the budget.
    private(set) var wrong: Set<Int> = []
    /// Hosts that were ordered back.
    private(set) var undone: Set<Int> = []
    /// Migrations that were ordered, by host and attempt.
    private var migrations: Set<Migration> = []
    private struct Migration: Hashable, Sendable {
        let host: Int
        let attempt: Int
    }
    /// The newest attempt that a host was ordered to begin.
    private(set) var attempts: [Int]
    /// Which budget is spent; nil while none is.
    private(set) var spent: String?
    /// True once somebody lifted the limits with `--fast`.
    var isUnlimited = false
    /// Hosts whose service is down, now and at most.
    private(set) var down = 0
    private(set) var downByDomain: [String: Int] = [:]
    private(set) var worst = 0
    private(set) var worstInDomain = 0
    /// When the rollout was made, and when it ended last.
    var madeAt: Int64?
    var endedAt: Int64?
    /// The latest moment that any event told, as the machine has it.
    var moment = Timestamp(milliseconds: 0)
    /// True once a rehearsal left another state than before, until a person decides.
    var differs = false
    var losses: LossBook

    init(_ plan: ResolvedPlan, _ allowed: WorldLimits) {
        self.allowed = allowed
        losses = LossBook(plan.absence)
        domains = plan.hosts.map(\.domain)
        var waveOf: [HostID: Int] = [:]
        for (number, wave) in plan.waves.enumerated() {
            for host in wave.hosts { waveOf[host] = number }
        }
        waves = plan.hosts.map { waveOf[$0.id] ?? 0 }
        attempts = Array(repeating: 0, count: plan.hosts.count)
    }

    mutating func move(_ host: Int, isDown: Bool) {
        down += isDown ? 1 : -1
        downByDomain[domains[host], default: 0] += isDown ? 1 : -1
        worst = max(worst, down)
        worstInDomain = max(worstInDomain, downByDomain[domains[host]] ?? 0)
    }

    var took: Milliseconds? {
        guard let madeAt, let endedAt else { return nil }
        return Milliseconds(endedAt - madeAt)
    }

    func downIn(domainOf host: Int) -> Int { downByDomain[domains[host]] ?? 0 }

    /// A host went wrong; true if that spends a budget.
    mutating func lose(_ host: Int) {
        guard wrong.insert(host).inserted, spent == nil else { return }
        let inWave = wrong.count { waves[$0] == waves[host] }
        let inDomain = wrong.count { domains[$0] == domains[host] }
        if wrong.count > allowed.budget.fleet {
            spent = "\(wrong.count) of \(allowed.budget.fleet) in the fleet"
        } else if let limit = allowed.budget.wave, inWave > limit {
            spent = "\(inWave) of \(limit) in a wave"
        } else if let limit = allowed.budget.domain, inDomain > limit {
            spent = "\(inDomain) of \(limit) in domain \(domains[host])"
        }
    }

    /// Notes orders, given or given again; hosts that are ordered to migrate for the first time.
    @discardableResult
    mutating func remember(_ effects: [RolloutEffect], _ place: [HostID: Int]) -> [Int] {
        var fresh: [Int] = []
        for case .order(let id, let order) in effects {
            guard let host = place[id] else { continue }
            attempts[host] = max(attempts[host], order.attempt)
            switch order.verb {
            case .migrate:
                if migrations.insert(Migration(host: host, attempt: order.attempt)).inserted {
                    fresh.append(host)
                }
            case .rollback: undone.insert(host)
            case .prepare, .validate, .confirm, .commit, .release: break
            }
        }
        return fresh
    }
}

/// A plan's numbers by the world's own arithmetic: a percentage is as many whole hosts as are not
/// more than it.
struct WorldLimits: Sendable {
    var unavailable: Int
    var unavailablePerDomain: Int?
    var budget: FailureBudget

    init(_ plan: ResolvedPlan, _ declared: Plan?) {
        unavailable = plan.limits.unavailableMax
        unavailablePerDomain = plan.limits.unavailablePerDomainMax
        budget = plan.budget
        guard let declared else { return }
        let all = plan.hosts.count
        let domain = Dictionary(grouping: plan.hosts, by: \.domain).values.map(\.count).min() ?? 0
        let wave = plan.waves.map(\.hosts.count).min() ?? 0
        unavailable = max(1, Self.whole(declared.strategy.unavailableMax, of: all))
        unavailablePerDomain = declared.strategy.unavailablePerDomainMax.map {
            max(1, Self.whole($0, of: domain))
        }
        budget = FailureBudget(
            fleet: Self.whole(declared.budget.fleet, of: all),
            wave: declared.budget.wave.map { Self.whole($0, of: wave) },
            domain: declared.budget.domain.map { Self.whole($0, of: domain) })
    }

    private static func whole(_ count: Count, of total: Int) -> Int {
        switch count {
        case .number(let number): number
        case .percent(let percent): (0...total).last { $0 * 100 <= percent * total } ?? 0
        }
    }

    /// The same plan with every percentage rounded up, as a planted fault has it.
    static func roundedUp(_ plan: ResolvedPlan, _ declared: Plan?) -> ResolvedPlan {
        guard let declared else { return plan }
        var plan = plan
        let all = plan.hosts.count
        func up(_ count: Count) -> Int {
            switch count {
            case .number(let number): number
            case .percent(let percent): (percent * all + 99) / 100
            }
        }
        plan.limits.unavailableMax = max(1, up(declared.strategy.unavailableMax))
        plan.limits.parallelMax = max(1, up(declared.strategy.parallelMax))
        plan.budget.fleet = up(declared.budget.fleet)
        return plan
    }
}
