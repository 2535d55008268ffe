/// When a row's target is met.
enum TargetRule: Equatable, Sendable {
    /// Ours is at most this share of the peer's median.
    case shareOfPeer(Double)
    /// Ours is at most this, in the row's unit.
    case most(Double)
    /// Measured for comparison; nothing is promised.
    case none

    /// In words, as the table says it.
    func words(unit: String, peer: String) -> String {
        switch self {
        case .shareOfPeer(let share):
            if share == 1 { return "≤ \(peer)" }
            let inverse = (1 / share).rounded()
            return abs(inverse * share - 1) < 0.001 && share < 1
                ? "≤ 1/\(Int(inverse)) of \(peer)" : "≤ \(Narrator.number(share)) × \(peer)"
        case .most(let limit): return "≤ \(Narrator.number(limit)) \(unit)"
        case .none: return ""
        }
    }
}

/// One measured comparison: what DESIGN's section 11 asks of every benchmark.
struct ReportRow: Equatable, Sendable {
    var what: String
    /// `s`, `MB` (10^6 bytes), `%`, `calls`; empty for a bare number.
    var unit: String
    var ours: Quantiles?
    var peer: Quantiles?
    /// Empty if there is no peer to compare with.
    var peerName: String
    var rule: TargetRule
    var oursCommand: String
    var peerCommand: String
    /// The largest share of the processors that other processes used in a timed part, 0 to 1.
    var othersShare: Double
    /// What a reader of the row has to know.
    var note: String

    init(
        _ what: String, unit: String, ours: Quantiles?, peer: Quantiles? = nil,
        peerName: String = "", rule: TargetRule = .none, oursCommand: String = "",
        peerCommand: String = "", othersShare: Double = 0, note: String = ""
    ) {
        self.what = what
        self.unit = unit
        self.ours = ours
        self.peer = peer
        self.peerName = peerName
        self.rule = rule
        self.oursCommand = oursCommand
        self.peerCommand = peerCommand
        self.othersShare = othersShare
        self.note = note
    }

    /// The number that ours may not exceed, in `unit`; nil if nothing is promised, or if what it
    /// is measured by was not measured.
    var target: Double? {
        switch rule {
        case .shareOfPeer(let share): peer.map { $0.median * share }
        case .most(let limit): limit
        case .none: nil
        }
    }

    /// Whether the median meets the target; nil if there is no target or nothing of ours.
    var holds: Bool? {
        guard let target, let ours else { return nil }
        return ours.median <= target
    }
}
