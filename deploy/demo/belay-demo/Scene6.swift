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
        let outcome = try await fleet.cli.run(
            [
                "rollback", rollout, "--scope", "full", "--include-later", "--reason",
                "back to release 1",
            ], seconds: 120)
        let view = try await fleet.cli.rollout(of: "registry-2")
        fleet.claims.check(
            6, "the rollback of the whole fleet ends",
            outcome.code == 0 && view?.state == .rolledBack,
            seen: "exit code \(outcome.code), state \(view?.state.rawValue ?? "unknown")")
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
        let outcome = try await fleet.cli.run(["apply", fleet.plan("tune-1"), "--auto-approve"])
        let tuned = try host.tree()
        fleet.claims.check(
            6, "a change of settings and flags is made on \(host.id)",
            outcome.code == 0
                && original.differences(to: tuned) == [Self.flags, Self.settings],
            seen: original.differences(to: tuned).joined(separator: ", "))
        _ = try await fleet.cli.run(
            ["rollback", "--host", host.id, "--scope", "flags", "--reason", "writes are back"])
        let half = try host.tree()
        let isOff = try await Waiting.holds(seconds: 5) {
            await host.health()?.flags["read-only"] == false
        }
        fleet.claims.check(
            6, "the flags alone are taken back",
            tuned.differences(to: half) == [Self.flags]
                && half.entries[Self.flags] == original.entries[Self.flags] && isOff,
            seen: "changed: \(tuned.differences(to: half).joined(separator: ", ")); "
                + "the service uses them: \(isOff)")
        _ = try await fleet.cli.run(
            [
                "rollback", "--host", host.id, "--scope", "component=settings", "--reason",
                "less noise",
            ])
        let end = try host.tree()
        fleet.claims.check(
            6, "one component, the settings, is taken back",
            half.differences(to: end) == [Self.settings] && end == original,
            seen: "changed: \(half.differences(to: end).joined(separator: ", ")); "
                + "service \(await host.health()?.status ?? "silent")")
    }
}
