import FleetWire
import RolloutCore

/// Release 2.1 is bad: the canary's validators catch it, and nobody else ever sees it.
struct Scene3: Sendable {
    let fleet: DemoFleet

    func play() async throws {
        Narrator.title("Scene 3: release 2.1.0 is bad, and the canary catches it")
        let before = try await fleet.trees()
        let services = processes()
        let plan = fleet.plan("registry-2.1")
        let outcome = try await fleet.cli.run(["apply", plan, "--auto-approve"])
        fleet.claims.check(
            3, "belay apply says that it was rolled back", outcome.code == 9,
            seen: "exit code \(outcome.code)")
        let view = try await fleet.cli.rollout(of: "registry-2.1")
        try await claimHosts(before, services, view)
        try await claimEvidence(view)
        let again = try await fleet.cli.run(["apply", plan, "--auto-approve"])
        let quarantine = try await fleet.cli.rollout(of: "registry-2.1")
        fleet.claims.check(
            3, "its digest is quarantined: the same again is refused",
            again.code != 0 && again.code != 9 && quarantine?.id == view?.id,
            seen: "exit code \(again.code), no second rollout")
        await fleet.claimAll(3, version: "2.0.0", schema: 2)
    }

    private func processes() -> [String: Int32] {
        fleet.hosts.reduce(into: [:]) { $0[$1.id] = $1.servicePID }
    }

    private func claimHosts(
        _ before: [String: HostTree], _ services: [String: Int32], _ view: RolloutView?
    ) async throws {
        let now = try await fleet.trees()
        let changed = view?.hosts.filter(\.changed).map(\.id.rawValue) ?? []
        let canary = changed.first ?? ""
        fleet.claims.check(
            3, "the canary alone was changed, and took itself back",
            changed.count == 1 && view?.hosts.first { $0.changed }?.state == .rolledBack,
            seen: "changed: \(changed.joined(separator: ", "))")
        fleet.claimSame(
            3, "the canary is byte for byte what it was",
            before.filter { $0.key == canary }, now.filter { $0.key == canary })
        fleet.claimSame(
            3, "the other five hosts are what they were",
            before.filter { $0.key != canary }, now.filter { $0.key != canary })
        let restarted = services.filter { $0.key != canary && processes()[$0.key] != $0.value }
        fleet.claims.check(
            3, "the other five services were never restarted", restarted.isEmpty,
            seen: restarted.isEmpty ? "the same process ids" : "\(restarted.keys.sorted())")
    }

    private func claimEvidence(_ view: RolloutView?) async throws {
        guard let view else {
            fleet.claims.check(3, "the evidence is kept", false, seen: "no rollout was found")
            return
        }
        let report = try await fleet.cli.run(["rollout", "report", view.id.rawValue])
        fleet.claims.check(
            3, "the evidence is kept: the report names the check that failed",
            report.code == 0 && report.output.contains("features")
                && report.output.contains("500"),
            seen: view.hosts.compactMap(\.failure).first ?? "no failure in the rollout")
    }
}
