import AgentCore
import FleetWire

/// What is wrong with this host itself, for heartbeats and `status`.
extension Agent {
    var troubles: [HostTrouble] { halfRestored }

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
