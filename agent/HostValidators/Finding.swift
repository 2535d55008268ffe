import FleetWire

/// What one look at the host gave.
struct Finding: Sendable {
    var status: CheckStatus
    /// What was measured, with its unit.
    var measured: String
    /// What it was held against, if `measured` does not say so.
    var threshold: String?
    /// What to do; empty for a pass.
    var remedy: String
    /// Lines that show it; they are redacted and bounded before anybody sees them.
    var evidence: [String] = []
    /// Numbers that the look gave.
    var metrics: [CheckMetric] = []

    static func pass(
        _ measured: String, threshold: String? = nil, evidence: [String] = []
    ) -> Finding {
        Finding(
            status: .pass, measured: measured, threshold: threshold, remedy: "",
            evidence: evidence)
    }

    static func warn(
        _ measured: String, _ remedy: String, threshold: String? = nil, evidence: [String] = []
    ) -> Finding {
        Finding(
            status: .warn, measured: measured, threshold: threshold, remedy: remedy,
            evidence: evidence)
    }

    static func fail(
        _ measured: String, _ remedy: String, threshold: String? = nil, evidence: [String] = []
    ) -> Finding {
        Finding(
            status: .fail, measured: measured, threshold: threshold, remedy: remedy,
            evidence: evidence)
    }

    /// It could not be looked at; `measured` says why.
    static func unknown(
        _ measured: String, _ remedy: String, evidence: [String] = []
    ) -> Finding {
        Finding(
            status: .unknown, measured: measured, threshold: nil, remedy: remedy,
            evidence: evidence)
    }

    /// There is nothing here that it could speak of; `measured` says why.
    static func notApplicable(_ measured: String) -> Finding {
        Finding(status: .notApplicable, measured: measured, threshold: nil, remedy: "")
    }

    static func late(_ timeout: Milliseconds) -> Finding {
        .unknown(
            "no answer within \(timeout.text)",
            "look why it hangs, or raise the check's timeout")
    }
}

/// Takes several judgements of one look; the worst of them is the finding.
struct Judgement {
    private var worst = CheckStatus.pass
    private var reasons: [(CheckStatus, String)] = []

    /// Notes that a threshold was crossed, `80 MiB is below bytes_min, 100 MiB`.
    mutating func note(_ status: CheckStatus, _ reason: String) {
        if Self.rank(status) > Self.rank(worst) { worst = status }
        reasons.append((status, reason))
    }

    /// The finding: what was measured, then the reasons for its status.
    func finding(_ measured: String, remedy: String, evidence: [String] = []) -> Finding {
        let why = reasons.filter { $0.0 == worst }.map(\.1).joined(separator: "; ")
        return Finding(
            status: worst, measured: measured, threshold: why.isEmpty ? nil : why,
            remedy: worst == .pass ? "" : remedy, evidence: evidence)
    }

    /// A failure outweighs what could not be told, as it is known.
    private static func rank(_ status: CheckStatus) -> Int {
        switch status {
        case .notApplicable: -1
        case .pass: 0
        case .warn: 1
        case .unknown: 2
        case .fail: 3
        }
    }
}
