/// What the runs of one tool gave in one part.
struct Series {
    private(set) var seconds: [Double] = []
    /// Values that were measured beside the time, in the row's unit.
    var values: [Double] = []
    /// The most memory of any run.
    private(set) var residentBytes = 0
    private(set) var othersShare = 0.0
    private(set) var command = ""

    mutating func add(_ run: TimedRun, command: String) {
        seconds.append(run.seconds)
        residentBytes = max(residentBytes, run.residentBytes)
        othersShare = max(othersShare, run.othersShare)
        if self.command.isEmpty { self.command = command }
    }
}

/// The runs of all tools in one part, by tool.
struct PartResult {
    /// Such as `first capture`.
    let part: String
    var series: [String: Series] = [:]

    /// One row for each peer; `value` is what is compared.
    func rows(
        _ what: String, unit: String, ours: String, peers: [String], rules: [String: TargetRule],
        notes: [String: String] = [:], value: (Series) -> [Double] = { $0.seconds }
    ) -> [ReportRow] {
        let own = series[ours]
        return peers.map { peer in
            let other = series[peer]
            return ReportRow(
                what, unit: unit, ours: own.flatMap { Quantiles(value($0)) },
                peer: other.flatMap { Quantiles(value($0)) }, peerName: peer,
                rule: rules[peer] ?? .none, oursCommand: own?.command ?? "",
                peerCommand: other?.command ?? "",
                othersShare: max(own?.othersShare ?? 0, other?.othersShare ?? 0),
                note: [notes[ours], notes[peer]].compactMap { $0 }.joined(separator: "; "))
        }
    }
}
