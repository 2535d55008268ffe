import FleetWire
import Logging
import OperatorAPI
import RolloutCore
import RolloutPlan

/// Asking gates. Every outcome goes through the journal; one of a round that is over by then is
/// known by its number, and the machine drops it.
extension Coordinator {
    /// Asks gates as they come, some at a time, until the stream ends.
    func evaluateGates() async {
        let client: GateClient
        do {
            client = try GateClient()
        } catch {
            logger.critical("gates cannot be asked", metadata: ["reason": "\(error)"])
            return
        }
        await works.forEach(atMost: GateLimits.atOnce) { await self.evaluate($0, client) }
        await client.shutdown()
    }

    private func evaluate(_ item: GateWork, _ client: GateClient) async {
        let finding: GateFinding
        switch item.gate.probe {
        case .checks(let checks): return await runChecks(checks, item)
        // The machine never asks us for approvals: persons come by themselves.
        case .approval: return
        case .metric(let rule): finding = judge(rule, item)
        case .webhook(let rule): finding = await WebhookGate.ask(rule, item, client)
        case .prometheus(let rule): finding = await PrometheusGate.ask(rule, item, client)
        }
        guard !Task.isCancelled else { return }
        enqueue(
            .rollout(
                item.rollout,
                .gateProbed(
                    wave: item.wave, gate: item.gate.name, round: item.round, finding, at: clock())),
            actor: "coordinator", done: nil)
    }

    private func judge(_ rule: MetricRule, _ item: GateWork) -> GateFinding {
        let now = clock()
        return rule.finding(
            item.hosts.map { ($0, windows.samples(rule, of: $0, now: now)) })
    }

    /// Runs a gate's checks on all its hosts; a host that cannot be asked gives no results, and
    /// what has no result never passes.
    private func runChecks(_ checks: [CheckSpec], _ item: GateWork) async {
        var results: [String: [CheckResult]] = [:]
        await withTaskGroup(of: (String, [CheckResult]).self) { group in
            for host in item.hosts {
                let asked = CheckRequest(
                    checks: checks, variables: item.variables, labels: item.labels[host] ?? [:])
                group.addTask {
                    let reply = try? await self.check(asked, on: host)
                    return (host.rawValue, reply?.results ?? [])
                }
            }
            for await (host, found) in group { results[host] = found }
        }
        guard !Task.isCancelled else { return }
        enqueue(
            .rollout(
                item.rollout,
                .gateChecked(
                    wave: item.wave, gate: item.gate.name, round: item.round, results: results,
                    at: clock())),
            actor: "coordinator", done: nil)
    }

    /// Keeps samples for the gates of rollouts that are under way, and of no others.
    func retuneWindows() {
        let kept = windows.rollouts
        for (id, running) in rollouts {
            guard let plan = running.machine.definition?.plan else { continue }
            let isKept = kept.contains(id)
            if running.machine.isFinished == isKept {
                if isKept { windows.end(id, plan) } else { windows.begin(id, plan) }
            }
        }
    }
}
