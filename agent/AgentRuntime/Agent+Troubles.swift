import AgentCore
import FleetWire

/// What is wrong with this host itself, for heartbeats and `status`.
extension Agent {
    /// At most this many are told; damage by the hundred is one story.
    private static let troublesMax = 50

    var troubles: [HostTrouble] {
        Array((halfRestored + health.troubles).prefix(Self.troublesMax))
    }

    private var halfRestored: [HostTrouble] {
        Dictionary(grouping: machine.halfRestored, by: \.point).sorted { $0.key < $1.key }.map {
            point, halves in
            let names = halves.map(\.component.name.rawValue).joined(separator: ", ")
            let back = halves.compactMap(\.before).first.map { ", or go back to \($0)" } ?? ""
            return HostTrouble(
                kind: "half_restored", subject: point.rawValue,
                text: "\(names): \(halves[0].reason); restore \(point) again\(back)",
                since: halves[0].since)
        }
    }
}
