import FleetWire
import RolloutCore
import SQLiteFile

/// Release 2 goes over the fleet, canary first, then zone by zone, while users keep asking.
struct Scene2: Sendable {
    /// The phases of the migration, in order, as the plan names them.
    private static let phases = [
        "pre-flight", "backup", "configuration", "flags", "storage", "datasets", "validation",
        "finalization",
    ]

    let fleet: DemoFleet

    func play(_ memory: inout SceneMemory) async throws {
        Narrator.title("Scene 2: release 2.0.0, canary first, then zone by zone, under load")
        let arguments =
            ["apply", fleet.plan("registry-2")]
            + (memory.digest.map { ["--digest", $0] } ?? ["--auto-approve"])
        let cli = fleet.cli
        let (outcome, load) = try await LoadClient(hosts: fleet.hosts).during {
            try await cli.run(
                arguments,
                show: Excerpt(most: 24) { line in
                    (line.contains("registry-a1") && line.contains(") done"))
                        || line.contains("verification: 4 of 4") && line.contains("registry-a1")
                        || line.contains(" passed") && line.contains("wave")
                        || line.hasPrefix("succeeded")
                },
                live: true)
        }
        fleet.claims.check(
            2, "the rollout of 2.0.0 succeeds", outcome.code == 0,
            seen: "exit code \(outcome.code)")
        let view = try await cli.rollout(of: "registry-2")
        memory.rollout = view?.id.rawValue
        claimOrder(view)
        try await claimPhases(view)
        await fleet.claimAll(2, version: "2.0.0", schema: 2)
        fleet.claim(2, load, "in the rollout")
        try claimTraces(memory)
        await claimFeatures()
    }

    private func claimOrder(_ view: RolloutView?) {
        let waves = view?.waves.map { "\($0.name) \($0.hosts.count)" } ?? []
        let committed = view?.hosts.count { $0.state == .committed && $0.point != nil }
        fleet.claims.check(
            2, "one canary, then the zones; every host committed, with a rollback point",
            view?.waves.first?.hosts.count == 1 && committed == fleet.hosts.count,
            seen: "\(waves.joined(separator: ", ")); \(committed ?? 0) committed")
    }

    private func claimPhases(_ view: RolloutView?) async throws {
        let history =
            try await fleet.cli.read(
                [HistoryEntry].self, ["rollout", "history", view?.id.rawValue ?? ""]) ?? []
        let right = fleet.hosts.count { host in
            var found: [String] = []
            for entry in history where entry.host?.rawValue == host.id {
                guard let step = entry.step, step.outcome?.status == .done,
                    let phase = step.phase, found.last != phase
                else { continue }
                found.append(phase)
            }
            return found == Self.phases
        }
        fleet.claims.check(
            2, "the history shows the eight phases on each host, in order",
            right == fleet.hosts.count,
            seen: "\(Self.phases.joined(separator: ", ")) on \(right)")
    }

    /// Each phase leaves something that can be seen from outside.
    private func claimTraces(_ memory: SceneMemory) throws {
        var wrong: [String] = []
        for host in fleet.hosts {
            let rows = try CatalogRows.read(host.catalog)
            if rows.schema != 2 { wrong.append("\(host.id): schema \(rows.schema)") }
            if rows.checksums != memory.checksums { wrong.append("\(host.id): checksums moved") }
            let tree = try host.tree()
            for (name, checksum) in memory.checksums {
                let path = "/var/lib/registry/datasets/\(name)"
                if tree.entries["\(path)/1/data.csv"]?.hasSuffix(checksum) != true {
                    wrong.append("\(host.id): \(path)/1/data.csv")
                }
                if tree.entries["\(path).csv"] != nil { wrong.append("\(host.id): \(path).csv") }
            }
            if TextFile.read(host.settings)?.contains("driver: sqlite") != true {
                wrong.append("\(host.id): settings")
            }
            if TextFile.read(host.flags)?.contains("vectorized-features") != true {
                wrong.append("\(host.id): flags")
            }
            let copy = "\(host.root)/var/backups/registry/catalog-schema-1.db"
            let version = try? SQLiteConnection(path: copy, mode: .readWrite).userVersion()
            if version != 1 { wrong.append("\(host.id): backup") }
        }
        fleet.claims.check(
            2, "backup, settings, flags, schema, rows and datasets are as the phases leave them",
            wrong.isEmpty && !memory.checksums.isEmpty,
            seen: wrong.isEmpty
                ? "\(memory.checksums.count) datasets of \(fleet.hosts.count) hosts by checksum"
                : wrong.joined(separator: ", "))
    }

    private func claimFeatures() async {
        var right = 0
        for host in fleet.hosts {
            let answer = await ServiceClient.get(
                "/v1/datasets/colonies/features", port: host.port)
            if answer.status == 200, answer.body.contains("\"correlations\"") { right += 1 }
        }
        fleet.claims.check(
            2, "the new features are computed everywhere", right == fleet.hosts.count,
            seen: "\(right) of \(fleet.hosts.count) answers have correlations")
    }
}
