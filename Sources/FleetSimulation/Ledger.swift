import FleetWire
import RolloutCore
import RolloutPlan

/// The world's own books, kept apart from the machines that they are held against.
struct Ledger: Sendable {
    private let budget: FailureBudget
    private let domains: [String]
    private let waves: [Int]
    /// Hosts that certainly count against the budget.
    private(set) var wrong: Set<Int> = []
    /// Hosts that were ordered back.
    private(set) var undone: Set<Int> = []
    /// Migrations that were ordered, by host and attempt.
    private var migrations: Set<[Int]> = []
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
    var endedAt: Int64?

    init(_ plan: ResolvedPlan) {
        budget = plan.budget
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

    func downIn(domainOf host: Int) -> Int { downByDomain[domains[host]] ?? 0 }

    /// A host went wrong; true if that spends a budget.
    mutating func lose(_ host: Int) {
        guard wrong.insert(host).inserted, spent == nil else { return }
        let inWave = wrong.count { waves[$0] == waves[host] }
        let inDomain = wrong.count { domains[$0] == domains[host] }
        if wrong.count > budget.fleet {
            spent = "\(wrong.count) of \(budget.fleet) in the fleet"
        } else if let limit = budget.wave, inWave > limit {
            spent = "\(inWave) of \(limit) in a wave"
        } else if let limit = budget.domain, inDomain > limit {
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
                if migrations.insert([host, order.attempt]).inserted { fresh.append(host) }
            case .rollback: undone.insert(host)
            case .prepare, .validate, .confirm, .commit, .release: break
            }
        }
        return fresh
    }
}
