import FleetWire
import RolloutCore
import SQLiteFile

/// Release 2 goes over the fleet, canary first, then zone by zone, while users keep asking.
struct Scene2: Sendable {
    private static let unavailableMax = 2

    let fleet: DemoFleet

    func play(_ memory: inout SceneMemory) async throws {
        Narrator.title("Scene 2: release 2.0.0, canary first, then zone by zone, under load")
        let arguments =
            ["apply", fleet.plan("registry-2"), "--auto-approve"]
            + (memory.digest.map { ["--digest", $0] } ?? [])
        let cli = fleet.cli
        let (outcome, load) = try await LoadClient().during(hosts: fleet.hosts) {
            try await cli.run(arguments, seconds: 120)
        }
        fleet.claims.check(
            2, "the rollout of 2.0.0 succeeds", outcome.code == 0,
            seen: "belay apply ended with \(outcome.code)")
        await fleet.claimAll(2, version: "2.0.0", schema: 2)
        try claimOrder(try await cli.rollout(of: "registry-2"), &memory)
        claimLoad(load)
        try claimPhases(memory)
        await claimFeatures()
    }

    private func claimOrder(_ view: RolloutView?, _ memory: inout SceneMemory) throws {
        memory.rollout = view?.id.rawValue
        let waves = view?.waves.map { "\($0.name) \($0.hosts.count)" } ?? []
        let states = Set(view?.hosts.map(\.state.rawValue) ?? [])
        fleet.claims.check(
            2, "one canary, then the zones; every host committed, with a rollback point",
            view?.waves.first?.hosts.count == 1 && states == ["committed"]
                && view?.hosts.allSatisfy { $0.point != nil } == true,
            seen: "waves \(waves.joined(separator: ", ")); "
                + "states \(states.sorted().joined(separator: ", "))")
    }

    private func claimLoad(_ load: LoadClient.Result) {
        let asked = load.hosts.values.reduce(0) { $0 + $1.asked }
        let counts = load.hosts.sorted { $0.key < $1.key }.map {
            "\($0.key) \($0.value.failed)/\($0.value.asked)"
        }
        Narrator.line("  failures/requests: \(counts.joined(separator: ", "))")
        fleet.claims.check(
            2, "at no moment did more than \(Self.unavailableMax) hosts fail to answer",
            load.hosts.count == fleet.hosts.count && load.failingMax <= Self.unavailableMax,
            seen: "at most \(load.failingMax) at once, in \(asked) requests")
        fleet.claims.check(
            2, "every host answers its users again", load.failing.isEmpty,
            seen: load.failing.isEmpty
                ? "no last answer was a failure" : load.failing.sorted().joined(separator: ", "))
    }

    /// Each phase leaves something that can be seen from outside.
    private func claimPhases(_ memory: SceneMemory) throws {
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
            2, "backup, configuration, flags, storage and datasets are as the phases leave them",
            wrong.isEmpty,
            seen: wrong.isEmpty
                ? "files, rows and checksums of six hosts" : wrong.joined(separator: ", "))
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
