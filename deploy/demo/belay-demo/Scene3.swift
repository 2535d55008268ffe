import FleetWire
import OperatorAPI
import RolloutCore

/// Release 2.1 is bad: the canary's validators catch it, and nobody else ever sees it.
struct Scene3: Sendable {
    let fleet: DemoFleet

    func play() async throws {
        Narrator.title("Scene 3: release 2.1.0 is bad; the canary catches it and takes itself back")
        let before = try await fleet.trees()
        let services = processes()
        let plan = fleet.plan("registry-2.1")
        let outcome = try await fleet.cli.run(
            ["apply", plan, "--auto-approve"],
            show: .holding(
                "features-on", "verification:", "rolling back", "is back", "rolled back:",
                "registry-a1 rolled back", most: 10), live: true)
        let view = try await fleet.cli.rollout(of: "registry-2.1")
        fleet.claims.check(
            3, "belay apply says that it was rolled back",
            outcome.code == 9 && view?.state == .rolledBack, seen: "exit code \(outcome.code)")
        try await claimHosts(before, services, view)
        try await claimEvidence(view)
        try await claimQuarantine(plan, view)
        await fleet.claimAll(3, version: "2.0.0", schema: 2)
    }

    private func processes() -> [String: Int32] {
        fleet.hosts.reduce(into: [:]) { $0[$1.id] = $1.servicePID }
    }

    private func claimHosts(
        _ before: [String: HostTree], _ services: [String: Int32], _ view: RolloutView?
    ) async throws {
        let now = try await fleet.trees()
        let canary = view?.waves.first?.hosts.first?.rawValue ?? ""
        let touched = view?.hosts.filter { $0.point != nil }.map(\.id.rawValue) ?? []
        let record = view?.hosts.first { $0.id.rawValue == canary }
        fleet.claims.check(
            3, "the canary alone was changed, and rolled itself back",
            touched == [canary] && record?.state == .rolledBack,
            seen: "\(touched.joined(separator: ", ")), restored in "
                + "\(record?.restoreTook.map { "\($0.count) ms" } ?? "unknown time")")
        fleet.claimSame(
            3, "the canary is byte for byte what it was",
            before.filter { $0.key == canary }, now.filter { $0.key == canary })
        fleet.claimSame(
            3, "the other five hosts are what they were",
            before.filter { $0.key != canary }, now.filter { $0.key != canary })
        let found = processes()
        let restarted = services.filter { $0.key != canary && found[$0.key] != $0.value }
        fleet.claims.check(
            3, "the other five services were never restarted",
            restarted.isEmpty && services.count == fleet.hosts.count,
            seen: restarted.isEmpty ? "the same process ids" : "\(restarted.keys.sorted())")
    }

    private func claimEvidence(_ view: RolloutView?) async throws {
        guard let view else {
            fleet.claims.check(3, "the evidence is kept", false, seen: "no rollout was found")
            return
        }
        let report = try await fleet.cli.run(
            ["rollout", "report", view.id.rawValue],
            show: .holding("Outcome:", "| registry-a1 |", "status 500", most: 4))
        let history =
            try await fleet.cli.read(
                [HistoryEntry].self, ["rollout", "history", view.id.rawValue]) ?? []
        let evidence = history.compactMap(\.evidence).flatMap(\.keys).sorted()
        fleet.claims.check(
            3, "the evidence is kept: the report names the check and what it saw",
            report.code == 0 && report.output.contains("features")
                && report.output.contains("status 500") && !evidence.isEmpty,
            seen: evidence.joined(separator: ", "))
    }

    private func claimQuarantine(_ plan: String, _ view: RolloutView?) async throws {
        let again = try await fleet.cli.run(
            ["apply", plan, "--auto-approve"], show: .holding("error:", "try:"))
        let newest = try await fleet.cli.rollout(of: "registry-2.1")
        fleet.claims.check(
            3, "its digest is quarantined: the same again is refused",
            again.code == 14 && again.errors.contains("quarantine") && newest?.id == view?.id,
            seen: "exit code \(again.code), no second rollout")
    }
}
