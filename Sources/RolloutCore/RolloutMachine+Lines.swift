import FleetWire
import RolloutPlan

/// Who goes next: hosts stand in a line for what they wait for.
extension RolloutMachine {
    /// The line in which a host waits now.
    private func line(of host: HostRecord) -> HostLine.Kind? {
        if host.undo {
            guard host.open?.verb != .rollback else { return nil }
            guard host.isUnavailable else { return .back }
            return host.isOnlyAway ? .backAway : .backDown
        }
        return host.state == .ready && host.connected ? .forward : nil
    }

    /// Puts a host that just changed into its line; whoever stepped aside may find room now.
    mutating func lineUp(_ host: Int) {
        let record = hosts[host]
        if let kind = line(of: record), !record.lines.contains(.init(kind)) {
            hosts[host].lines.insert(.init(kind))
            let rank = kind == .forward ? host : -record.touchOrder
            lines[kind.rawValue].insert(HostLine.Place(rank: rank, host: host))
        }
        for kind in HostLine.Kind.allCases { recall(kind, record.domain) }
    }

    private mutating func recall(_ kind: HostLine.Kind, _ domain: Int) {
        guard lines[kind.rawValue].hasAside(domain: domain), hasRoom(kind, domain) else { return }
        lines[kind.rawValue].recall(domain: domain)
    }

    func hasRoom(_ kind: HostLine.Kind, _ domain: Int) -> Bool {
        guard let domainMax = limits.unavailablePerDomainMax else { return true }
        let down = tally.unavailableByDomain[domain]
        return switch kind {
        case .forward, .back: down < domainMax
        // Counted already; several that return at once must not go down at once.
        case .backAway: down <= domainMax
        case .backDown: true
        }
    }

    /// Takes the first host out of a line whose domain has room; of `wave` or an earlier one.
    mutating func next(_ kind: HostLine.Kind, upTo wave: Int = .max) -> Int? {
        while let place = lines[kind.rawValue].first {
            let host = place.host
            let record = hosts[host]
            guard line(of: record) == kind else {
                leaveLine(kind, host)
                recall(kind, record.domain)
                continue
            }
            guard record.wave <= wave else { return nil }
            guard hasRoom(kind, record.domain) else {
                lines[kind.rawValue].stepAside(domain: record.domain)
                continue
            }
            leaveLine(kind, host)
            return host
        }
        return nil
    }

    /// Takes all hosts out of a line, in its order, whatever their domains.
    mutating func all(_ kind: HostLine.Kind) -> [Int] {
        lines[kind.rawValue].recallAll()
        var found: [Int] = []
        while let host = lines[kind.rawValue].first?.host {
            leaveLine(kind, host)
            if line(of: hosts[host]) == kind { found.append(host) }
        }
        return found
    }

    private mutating func leaveLine(_ kind: HostLine.Kind, _ host: Int) {
        lines[kind.rawValue].removeFirst()
        hosts[host].lines.remove(.init(kind))
    }
}
