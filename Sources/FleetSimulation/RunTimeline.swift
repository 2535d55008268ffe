package import FleetWire
package import RolloutCore

/// When each host of one run came to which state: what a picture of the run is drawn from.
package struct RunTimeline: Sendable, Hashable, Codable {
    /// Something that holds from a moment on, in virtual milliseconds since the start.
    package struct Change<What: Sendable & Hashable & Codable>: Sendable, Hashable, Codable {
        /// Since when.
        package var at: Int64
        /// What holds.
        package var what: What
    }

    /// One host's part of the run, in the order of time.
    package struct Row: Sendable, Hashable, Codable {
        /// Which host.
        package var host: HostID
        /// Its states, as the coordinator has them.
        package var states: [Change<HostState>] = []
        /// Whether its service is down, as the world has it; it is up at the start.
        package var isDown: [Change<Bool>] = []
    }

    /// All hosts, in the order of the waves.
    package var rows: [Row]
    /// Where the rollout stood.
    package var rollout: [Change<RolloutState>] = []
    /// When the faults ended; nil if the run was over before.
    package var faultsEnd: Int64?

    init(hosts: [HostID]) { rows = hosts.map { Row(host: $0) } }

    /// Notes what changed since the last time.
    mutating func note(_ states: [HostState], _ state: RolloutState, at moment: Int64) {
        if rollout.last?.what != state { rollout.append(Change(at: moment, what: state)) }
        for (number, state) in states.enumerated() where rows[number].states.last?.what != state {
            rows[number].states.append(Change(at: moment, what: state))
        }
    }

    mutating func note(_ host: Int, isDown: Bool, at moment: Int64) {
        rows[host].isDown.append(Change(at: moment, what: isDown))
    }
}
