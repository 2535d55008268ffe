package import FleetWire

/// What holds a rollout's pace besides its limits, in the same words on every screen and in reports.
extension RolloutView {
    /// Hosts that were not there when it began and have not come through since.
    package struct LateView: Codable, Sendable, Hashable {
        /// The hosts, in order of waves.
        package var hosts: [HostID]
        /// True if they go alone when they return after the rollout succeeded.
        package var converges: Bool
        /// A view of these fields.
        package init(hosts: [HostID], converges: Bool) {
            self.hosts = hosts
            self.converges = converges
        }

        /// `2 hosts (a2, b1), which go alone once they return after its success`.
        package var text: String {
            let names =
                hosts.prefix(RolloutLimit.namesMax).map(\.rawValue).joined(separator: ", ")
                + (hosts.count > RolloutLimit.namesMax
                    ? " and \(hosts.count - RolloutLimit.namesMax) more" : "")
            let isOne = hosts.count == 1
            return "\(isOne ? "1 host" : "\(hosts.count) hosts") (\(names))"
                + (converges
                    ? ", which \(isOne ? "goes" : "go") alone as soon as the rollout succeeded and "
                        + "\(isOne ? "it is" : "they are") connected"
                    : ", left out for good unless \(isOne ? "it joins" : "they join") before "
                        + "\(isOne ? "its wave" : "their waves")")
        }
    }

    /// How far a wave has grown.
    package struct GrowthView: Codable, Sendable, Hashable {
        /// How many of its hosts go at once now.
        package var atOnce: Int
        /// How many got through in a row since that changed; as many as `atOnce` and more go.
        package var inRow: Int
        /// How many go after that, if no limit of the plan is lower.
        package var next: Int
        /// A view of these fields.
        package init(atOnce: Int, inRow: Int, next: Int) {
            self.atOnce = atOnce
            self.inRow = inRow
            self.next = next
        }

        /// `2 at once, 1 of 2 in a row, then 4`.
        package var text: String {
            "\(atOnce) at once, \(inRow) of \(atOnce) in a row, then \(next)"
        }
    }
}

extension RolloutView.RehearsalView {
    /// `back on a1: is being taken back, restored in 2s`.
    package var text: String {
        "\(phase) on \(host): \(detail)" + (restoreTook.map { ", restored in \($0.text)" } ?? "")
    }
}

extension RolloutView.GateView {
    /// When an approval becomes void by the clock; nil if it does not, or does not count, or the gate
    /// is decided.
    package func expiry(of approval: Approval) -> Timestamp? {
        guard verdict == nil, approval.void == nil, let span = approvalsHold else { return nil }
        return approval.at + span
    }

    /// When the first approval that counts becomes void.
    package var firstExpiry: Timestamp? { (approvals ?? []).compactMap(expiry).min() }
}
