import RolloutCore

/// The whole fleet goes back to release 1; then parts of one host alone.
struct Scene6: Sendable {
    private static let chosen = "registry-c2"
    private static let flags = "/etc/registry/flags.json"
    private static let settings = "/etc/registry/registry.yaml"

    let fleet: DemoFleet

    func play(_ memory: SceneMemory) async throws {
        Narrator.title("Scene 6: the whole fleet back to release 1.0.0, then parts of one host")
        guard let rollout = memory.rollout else {
            fleet.claims.check(
                6, "the fleet goes back to release 1.0.0", false,
                seen: "the rollout of release 2 is not known")
            return
        }
        let cli = fleet.cli
        let (outcome, load) = try await LoadClient(hosts: fleet.hosts).during {
            try await cli.run(
                [
                    "rollback", rollout, "--scope", "full", "--include-later", "--reason",
                    "back to 1",
                ], show: .holding("is back", "rolled back:", most: 8), live: true)
        }
        let view = try await fleet.cli.rollout(of: "registry-2")
        fleet.claims.check(
            6, "one command takes the whole fleet back",
            outcome.code == 0 && view?.state == .rolledBack,
            seen: "exit code \(outcome.code), \(view?.state.rawValue ?? "no rollout")")
        fleet.claim(6, load, "in the rollback")
        fleet.claimSame(
            6, "all six hosts are what they were before scene 1", memory.original,
            try await fleet.trees())
        await fleet.claimAll(6, version: "1.0.0", schema: 1)
        try claimRows(memory)
        try await takeBackParts()
    }

    private func claimRows(_ memory: SceneMemory) throws {
        let right = try fleet.hosts.count {
            let rows = try CatalogRows.read($0.catalog)
            return rows.schema == 1 && rows.checksums == memory.checksums
        }
        fleet.claims.check(
            6, "every database has its old schema and rows", right == fleet.hosts.count,
            seen: "\(right) of \(fleet.hosts.count) catalogs")
    }

    private func takeBackParts() async throws {
        let host = try fleet.host(Self.chosen)
        let original = try host.tree()
        let outcome = try await fleet.cli.run(
            ["apply", fleet.plan("tune-1"), "--auto-approve"], show: .holding("succeeded:"),
            live: true)
        let tuned = try host.tree()
        fleet.claims.check(
            6, "a change of settings and flags is made on \(host.id)",
            outcome.code == 0
                && original.differences(to: tuned) == [Self.flags, Self.settings],
            seen: original.differences(to: tuned).joined(separator: ", "))
        let flags = try await fleet.cli.run(
            ["rollback", "--host", host.id, "--scope", "flags"], show: .holding("is back"),
            live: true)
        let half = try host.tree()
        let isOff = try await Waiting.holds(seconds: 10) {
            await host.health()?.flags["read-only"] == false
        }
        fleet.claims.check(
            6, "the flags alone are taken back",
            flags.code == 0 && tuned.differences(to: half) == [Self.flags]
                && half.entries[Self.flags] == original.entries[Self.flags] && isOff,
            seen: "\(tuned.differences(to: half).joined(separator: ", ")) changed; "
                + "the service takes writes \(isOff ? "again" : "still not")")
        let settings = try await fleet.cli.run(
            ["rollback", "--host", host.id, "--scope", "component=settings"],
            show: .holding("is back"), live: true)
        let end = try host.tree()
        let health = await host.health()
        fleet.claims.check(
            6, "one component, the settings, is taken back",
            settings.code == 0 && half.differences(to: end) == [Self.settings]
                && end == original && health?.status == "ok",
            seen: "\(half.differences(to: end).joined(separator: ", ")) changed; "
                + "service \(health?.status ?? "silent")")
    }
}
