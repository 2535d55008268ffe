import FleetWire
import Foundation
import OperatorAPI
import RolloutCalendar
import RolloutPlan

@testable import belay

/// The full example as a coordinator with forty hosts would preview it.
enum PlanSamples {
    static func fullPreview() throws -> PlanPreview {
        let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let file = repository.appendingPathComponent("deploy/examples/full-rollout.yaml")
        let plan = try PlanLoader.load(path: file.path).plan
        let fleet = (1...40).map { number in
            FleetHost(
                id: HostID(unchecked: "shop-\(number)"),
                labels: ["app": "shop", "zone": ["a", "b", "c"][number % 3]],
                facts: [
                    "arch": number > 38 ? "arm64" : "amd64",
                    "kernel": ["6.8.0-49", "6.8.0-50", "6.1.0-27", "5.15.0-1"][min(3, number / 6)],
                ])
        }
        return PlanPreview(
            plan: try plan.resolve(against: fleet), digest: Samples.digest, notes: [],
            inspections: [])
    }

    /// Its calendar on Wednesday, 25 November 2026, 15:30 in Berlin, read in New York.
    static func calendar(_ plan: ResolvedPlan, zones: ZoneFolder) throws -> PlanCalendar? {
        let here = try ZoneFolder.ofThisMachine.zone(named: "America/New_York")
        return plan.pace.calendar.map {
            PlanCalendar(
                $0, now: Timestamp(milliseconds: 1_795_617_000_000), zones: zones, here: here)
        }
    }
}
