import FleetWire
import RolloutPlan

/// The world's own books on hosts that vanish: which of them were a mass, by the plan's share.
struct LossBook: Sendable {
    /// Sessions that end within this are one event.
    private static let within: Int64 = 30_000
    private let share: Int
    private let least: Int
    private var connected: Set<Int> = []
    private var recent: [(host: Int, at: Int64)] = []
    /// Hosts that vanished at once and may not be counted.
    private(set) var mass: Set<Int> = []

    init(_ absence: AbsencePolicy) {
        share = absence.massLossPercent
        least = absence.massLossHostsMin
    }

    private func isMass(_ lost: Int, of connected: Int) -> Bool {
        lost >= least && lost * 100 > connected * share
    }

    mutating func begin(with connected: Set<Int>) { self.connected = connected }

    mutating func join(_ host: Int) {
        recent.removeAll { $0.host == host }
        connected.insert(host)
        guard !mass.isEmpty else { return }
        mass.remove(host)
        if !isMass(mass.count, of: connected.count + mass.count) { mass = [] }
    }

    /// `isWatched` is true while the rollout has something to lose.
    mutating func leave(_ host: Int, at moment: Int64, isWatched: Bool) {
        guard connected.remove(host) != nil, isWatched else { return }
        guard mass.isEmpty else {
            mass.insert(host)
            return
        }
        recent.append((host, moment))
        recent.removeAll { moment - $0.at > Self.within }
        if isMass(recent.count, of: connected.count + recent.count) {
            mass = Set(recent.map(\.host))
            recent = []
        }
    }

    /// The host is another one now, so its absence is explained.
    mutating func replace(_ host: Int) {
        connected.remove(host)
        recent.removeAll { $0.host == host }
    }

    /// A person said that it goes on without them, or the coordinator's own absence explains it.
    mutating func forget() {
        mass = []
        recent = []
    }

    /// The coordinator started again: it knows of no session.
    mutating func restart() {
        forget()
        connected = []
    }
}
