import FleetWire
import OperatorAPI

/// A dry run shows what would change, and changes nothing.
struct Scene1: Sendable {
    let fleet: DemoFleet

    func play(_ memory: inout SceneMemory) async throws {
        Narrator.title("Scene 1: a dry run shows what would change, and changes nothing")
        let before = try await fleet.trees()
        memory.original = before
        memory.checksums = try CatalogRows.read(fleet.hosts[0].catalog).checksums
        let plan = fleet.plan("registry-2")
        let outcome = try await fleet.cli.run(
            ["plan", plan],
            show: .holding(
                "limits ", "may be lost ", "zone-", "canary", "WAVE", "create ", "modify ",
                "migrate ", "6 hosts", "digest", most: 18))
        let preview = try await fleet.cli.read(PlanPreview.self, ["plan", plan])
        memory.digest = preview?.digest.description
        let inspected = preview?.inspections.filter { !($0.inspection?.changes ?? []).isEmpty }
        fleet.claims.check(
            1, "belay plan shows the changes of six hosts and a digest",
            outcome.code == 0 && inspected?.count == fleet.hosts.count && memory.digest != nil,
            seen: "\(inspected?.count ?? 0) agents computed theirs")
        fleet.claimSame(1, "no host changed", before, try await fleet.trees())
        await fleet.claimAll(1, version: "1.0.0", schema: 1)
    }
}
