import FleetWire
import RolloutCore

/// How states look: one symbol and one colour for each, the same in every view.
extension HostState {
    var role: Style.Role {
        switch self {
        case .pending, .skipped, .late: .faint
        case .preparing, .validating, .ready, .migrating, .verifying: .active
        case .soaking, .committed: .good
        case .unreachable, .rollingBack, .rolledBack: .caution
        case .failed, .timedOut, .rollbackFailed: .bad
        }
    }

    func symbol(_ style: Style) -> String {
        switch self {
        case .pending, .late: style.symbol("○", ".")
        case .skipped: style.symbol("–", "-")
        case .preparing, .validating, .migrating, .verifying: style.symbol("●", "*")
        case .ready: style.symbol("◌", "o")
        case .soaking, .committed: style.symbol("✓", "+")
        case .unreachable: style.symbol("?", "?")
        case .rollingBack, .rolledBack: style.symbol("↺", "<")
        case .failed, .timedOut, .rollbackFailed: style.symbol("✗", "x")
        }
    }

    /// Trouble first, then what moves, then the rest; for views that cannot show all hosts.
    var rank: Int {
        switch self {
        case .failed, .timedOut, .rollbackFailed: 0
        case .unreachable, .rollingBack: 1
        case .migrating, .verifying: 2
        case .preparing, .validating: 3
        case .rolledBack: 4
        case .ready, .soaking: 5
        case .pending, .late, .skipped: 6
        case .committed: 7
        }
    }
}

extension RolloutState {
    var label: String { rawValue.replacing("_", with: " ") }

    var role: Style.Role {
        switch self {
        case .planned, .running: .active
        case .succeeded: .good
        case .awaitingApproval, .paused, .rollingBack, .rolledBack: .caution
        case .rollbackFailed, .aborted: .bad
        }
    }
}

extension RolloutView.WaveView.State {
    var role: Style.Role {
        switch self {
        case .waiting: .faint
        case .migrating, .soaking, .gating: .active
        case .passed: .good
        case .failed: .bad
        }
    }

    func symbol(_ style: Style) -> String {
        switch self {
        case .waiting: style.symbol("○", ".")
        case .migrating, .soaking, .gating: style.symbol("●", "*")
        case .passed: style.symbol("✓", "+")
        case .failed: style.symbol("✗", "x")
        }
    }
}

extension RolloutView {
    /// True once hosts are or were taken back, or nothing goes on: waves then stand where they stood.
    var isOver: Bool {
        switch state {
        case .rollingBack, .rolledBack, .rollbackFailed, .aborted: true
        case .planned, .awaitingApproval, .running, .paused, .succeeded: false
        }
    }

    /// A wave's state in words; one that will not go on is not said to.
    func label(of wave: WaveView) -> String {
        switch wave.state {
        case .waiting: isOver ? "not begun" : "waiting"
        case .migrating, .soaking, .gating: isOver ? "stopped" : wave.state.rawValue
        case .passed, .failed: wave.state.rawValue
        }
    }

    /// Hosts of a wave that are back or gave up, of those that are or were taken back; nil while the
    /// rollout goes forward.
    func takenBack(in wave: WaveView) -> (done: Int, of: Int)? {
        guard isOver, state != .aborted else { return nil }
        let members = Set(wave.hosts)
        let mine = hosts.filter { members.contains($0.id) }
        let back = mine.count { $0.state == .rolledBack }
        let open = mine.count {
            $0.state != .rolledBack && ($0.changed || $0.state == .rollingBack)
        }
        return (back, back + open)
    }

    /// Hosts that are where their wave wants them.
    func settled(in wave: WaveView) -> Int {
        let members = Set(wave.hosts)
        return hosts.count {
            members.contains($0.id) && ($0.state == .soaking || $0.state == .committed)
        }
    }
}

extension RolloutView {
    /// Gates that persons open and somebody approved, with their names.
    var approvedGates: [(title: String, gate: GateView)] {
        let gates = waves.flatMap { wave in
            wave.gates.map { (title: "\(wave.name)/\($0.name)", gate: $0) }
        }
        let crossing = pointOfNoReturn.map { [(title: "point of no return", gate: $0)] } ?? []
        return (crossing + gates).filter { $0.gate.approvals?.isEmpty == false }
    }
}
