import Glibc
import RolloutCore

/// An agent dies after its steps and stays dead: the guard takes its host back.
struct Scene5: Sendable {
    private static let victim = "registry-b2"

    let fleet: DemoFleet

    func play() async throws {
        Narrator.title("Scene 5: kill -9 of an agent before confirmation, and it stays dead")
        let host = try fleet.host(Self.victim)
        let before = try await fleet.trees()
        let apply = try fleet.cli.begin(["apply", fleet.plan("guard"), "--auto-approve"])
        try await Waiting.until("the steps of \(host.id) to be done", seconds: 40) {
            let view = try await fleet.cli.rollout(of: "guard")
            return view?.hosts.first?.state == .verifying ? () : nil
        }
        let changed = try host.tree()
        guard let agent = host.agent else { throw DemoFailure("\(host.id) has no agent") }
        agent.signal(SIGKILL)
        _ = try await agent.wait(seconds: 5)
        Narrator.line("  killed the agent of \(host.id), process \(agent.pid)")
        fleet.claims.check(
            5, "its steps had been done", before[host.id] != changed,
            seen: before[host.id].map { $0.differences(to: changed).joined(separator: ", ") } ?? "")
        let clock = ContinuousClock()
        let killed = clock.now
        let restored = try await Waiting.holds(seconds: 30) {
            // While files are being put back, one may vanish under the reader.
            guard let tree = try? host.tree(), tree == before[host.id] else { return false }
            return await host.health()?.status == "ok"
        }
        let seconds = (clock.now - killed).components.seconds
        fleet.claims.check(
            5, "the guard restored the host, with nobody else alive on it",
            restored && agent.exitCode != nil,
            seen: "\(seconds) s after the kill; service \(await host.health()?.status ?? "silent")")
        let now = try await fleet.trees()
        fleet.claimSame(5, "all six hosts are what they were", before, now)
        try await comeBack(host, apply)
    }

    /// The agent is started again only now, so that the rollout hears what the guard did.
    private func comeBack(_ host: DemoHost, _ apply: Programs.Running) async throws {
        try host.startAgent()
        Narrator.line("  started the agent of \(host.id) again")
        let outcome = try await fleet.cli.finish(apply)
        fleet.claims.check(
            5, "the rollout learns that its host was taken back", outcome.code == 9,
            seen: "belay apply ended with \(outcome.code)")
    }
}
