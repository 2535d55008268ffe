import FleetWire
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
        let apply = try fleet.cli.begin(
            ["apply", fleet.plan("guard"), "--auto-approve"], live: true)
        let view = try await Waiting.until("the steps of \(host.id) to be done", seconds: 90) {
            let view = try await fleet.cli.rollout(of: "guard")
            return view?.hosts.first?.state == .verifying ? view : nil
        }
        guard let agent = host.agent else { throw DemoFailure("\(host.id) has no agent") }
        agent.signal(SIGKILL)
        _ = try await agent.wait(seconds: 5)
        let clock = ContinuousClock()
        let killed = clock.now
        let changed = try host.tree()
        let restored = try await Waiting.holds(seconds: 60) {
            // While files are being put back, one may vanish under the reader.
            guard let tree = try? host.tree(), tree == before[host.id] else { return false }
            return await host.health()?.status == "ok"
        }
        let seconds = (clock.now - killed).components.seconds
        let now = try await fleet.trees()
        let isDead = agent.exitCode == 128 + SIGKILL && host.agent?.pid == agent.pid
        // The agent is started again only now, so that the rollout hears what the guard did.
        try host.startAgent()
        let outcome = try await fleet.cli.finish(
            apply,
            show: .holding(
                "restart (try 1) done", "unreachable", "guard", "rolled back", "is back",
                most: 9))
        Narrator.line("    killed the agent of \(host.id), process \(agent.pid); its guard said:")
        showGuard(host)
        let steps = view.hosts.first
        fleet.claims.check(
            5, "its steps had been done, nobody had confirmed",
            before[host.id] != changed && steps?.stepsDone == steps?.stepsTotal,
            seen: before[host.id].map { $0.differences(to: changed).joined(separator: ", ") } ?? "")
        fleet.claims.check(
            5, "the guard restored the host, the agent being dead", restored && isDead,
            seen: "\(seconds) s after the kill; the plan gives 5 s to confirm")
        fleet.claimSame(5, "all six hosts are what they were", before, now)
        fleet.claims.check(
            5, "the rollout learns it when the agent is started again", outcome.code == 9,
            seen: "belay apply ended with \(outcome.code)")
    }

    private func showGuard(_ host: DemoHost) {
        let log = TextFile.read("\(host.root)/var/lib/belay/guard/guard.log") ?? ""
        let lines = log.split(separator: "\n").map(String.init)
        let last = lines.lastIndex { $0.hasSuffix("watching") } ?? lines.startIndex
        Narrator.quote(lines[last...].prefix(5).map { "  \($0)" })
    }
}
