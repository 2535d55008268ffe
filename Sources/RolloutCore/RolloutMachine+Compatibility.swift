import FleetWire
import RolloutPlan

/// A part goes back only if its old state works with the new state of all that stays.
extension RolloutMachine {
    /// Why this part of the chosen hosts cannot go back alone; nil if it can.
    func refusalOfPart(_ scope: RollbackScope, _ targets: [Int]) -> String? {
        guard scope != .full, let plan else { return nil }
        let components = plan.work.components
        let restored = components.filter(scope.covers)
        guard !restored.isEmpty else {
            let names = components.map(\.name.rawValue).joined(separator: ", ")
            return "no component of the plan is in scope \(scope)"
                + (names.isEmpty ? "; it has none" : "; it has \(names)")
        }
        for host in targets {
            let back = hosts[host].partsBack
            for part in restored {
                let allowed = plan.returning.compatibleWith[part.name.rawValue] ?? []
                let staying = components.filter {
                    !scope.covers($0) && !back.contains($0.name)
                }
                guard let other = staying.first(where: { !allowed.contains($0.name) }) else {
                    continue
                }
                return "the old \(part.name) was not declared to work with the new \(other.name); "
                    + "add \(other.name) to components.\(part.name).compatible_with, or take back "
                    + "both"
            }
        }
        return nil
    }
}
