import FleetWire
import RolloutCore

/// The coordinator dies in the middle of a rollout, comes back, and goes on.
struct Scene4: Sendable {
    let fleet: DemoFleet

    func play() async throws {
        Narrator.title("Scene 4: kill -9 of the coordinator in the middle of a rollout")
        let apply = try fleet.cli.begin(
            ["apply", fleet.plan("limits"), "--auto-approve"], live: true)
        let middle = try await Waiting.until("the rollout's second wave", seconds: 90) {
            try await fleet.cli.rollout(of: "limits").flatMap { view -> RolloutView? in
                let isMigrating = view.hosts.contains { $0.state == .migrating }
                return isMigrating && view.waves.first?.state == .passed ? view : nil
            }
        }
        let old = fleet.coordinator.process?.pid ?? 0
        try await fleet.coordinator.kill()
        try await fleet.coordinator.start()
        let outcome = try await fleet.cli.finish(
            apply,
            show: .holding(
                "coordinator at", "coordinator is back", "coordinator was", "generation",
                " passed", "succeeded", most: 10))
        // Said only now: a command that draws on the terminal was running.
        Narrator.line(
            "    killed process \(old) while "
                + middle.hosts.filter { $0.state == .migrating }.map(\.id.rawValue)
                .joined(separator: " and ")
                + " migrated; started again as \(fleet.coordinator.process?.pid ?? 0)")
        let done = middle.hosts.count { $0.state == .soaking }
        fleet.claims.check(
            4, "it was killed in the middle", (1..<fleet.hosts.count).contains(done),
            seen: "\(done) of \(fleet.hosts.count) hosts were through")
        try await claimRest(middle, outcome.code)
    }

    private func claimRest(_ middle: RolloutView, _ code: Int32) async throws {
        let end = try await fleet.cli.rollout(of: "limits")
        fleet.claims.check(
            4, "the same rollout goes on where it was, and succeeds",
            code == 0 && end?.id == middle.id && end?.state == .succeeded,
            seen: "belay apply, which had waited, ended with \(code)")
        let attempts = end?.hosts.map(\.attempt) ?? []
        fleet.claims.check(
            4, "no host was done twice",
            attempts.count == fleet.hosts.count && attempts.allSatisfy { $0 == 1 },
            seen: "attempts \(attempts)")
        let healths = await fleet.healths()
        let right = healths.values.count { $0.status == "ok" && $0.flags["read-only"] == true }
        let settings = fleet.hosts.count {
            TextFile.read($0.settings)?.contains("pool: 4") == true
        }
        fleet.claims.check(
            4, "all six hosts have the new settings and flags",
            right == fleet.hosts.count && settings == fleet.hosts.count,
            seen: "\(right) services are read-only, \(settings) files say four readers")
        let audit = try await fleet.cli.run(["audit", "verify"], show: .first(1))
        fleet.claims.check(
            4, "the journal's chain is whole", audit.code == 0, seen: "exit code \(audit.code)")
    }
}
