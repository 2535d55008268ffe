import FleetWire

/// Counts over all hosts, kept up to date host by host so that no event costs a walk over the
/// fleet.
struct RolloutTally: Codable, Sendable, Hashable {
    struct Wave: Codable, Sendable, Hashable {
        var unsettled = 0
        var through = 0
        var throughAway = 0
        var skipped = 0
        var late = 0
        /// Hosts that may still be confirmed.
        var toGo = 0
    }
    var unavailable = 0
    var unavailableByDomain: [Int]
    var waves: [Wave]
    /// Hosts between the order to migrate and confirmation.
    var parallel = 0
    /// Hosts that are being rolled back by order.
    var rolling = 0
    /// Hosts that are not ready or out yet.
    var unprepared = 0
    /// Hosts under an order.
    var open = 0
    /// Hosts that the present rollback waits for.
    var undo = 0
    var soaking = 0
    var committed = 0
    var touched = 0
    var rollbackFailed = 0
    var connected = 0
    var late = 0
    /// Hosts that go alone and are not through.
    var alone = 0
    var spentByWave: [Int]
    var spentByDomain: [Int]

    init(waves: Int, domains: Int) {
        unavailableByDomain = Array(repeating: 0, count: domains)
        self.waves = Array(repeating: Wave(), count: waves)
        spentByWave = Array(repeating: 0, count: waves)
        spentByDomain = Array(repeating: 0, count: domains)
    }

    /// Adds (`by` 1) or takes away (`by` -1) what one host contributes.
    mutating func count(_ host: HostRecord, by number: Int) {
        if host.isUnavailable {
            unavailable += number
            unavailableByDomain[host.domain] += number
        }
        if host.isUnsettled { waves[host.wave].unsettled += number }
        if host.isToGo { waves[host.wave].toGo += number }
        if host.alone, host.isUnsettled || host.open != nil { alone += number }
        if host.isThrough {
            waves[host.wave].through += number
            if !host.connected { waves[host.wave].throughAway += number }
        }
        if host.skipped { waves[host.wave].skipped += number }
        switch host.open?.verb {
        case .migrate, .confirm: parallel += number
        case .rollback where host.connected: rolling += number
        case .prepare, .validate, .commit, .rollback, .release, nil: break
        }
        switch host.state {
        case .pending, .preparing, .validating: unprepared += number
        case .soaking: soaking += number
        case .committed: committed += number
        case .rollbackFailed: rollbackFailed += number
        case .late:
            late += number
            waves[host.wave].late += number
        case .ready, .migrating, .verifying, .failed, .unreachable, .timedOut, .rollingBack,
            .rolledBack, .skipped:
            break
        }
        if host.open != nil { open += number }
        if host.undo { undo += number }
        if host.touched { touched += number }
        if host.connected { connected += number }
    }
}
