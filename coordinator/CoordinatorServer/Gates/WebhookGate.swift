import FleetWire
import RolloutCore
import RolloutPlan

/// What a webhook is sent, and what it answers (docs/reference/gates.md).
enum WebhookGate {
    /// The request's body.
    struct Asked: Codable, Sendable, Hashable {
        var rollout: RolloutID
        var plan: Digest
        var wave: String
        var gate: String
        var round: Int
        var hosts: [HostID]
    }

    /// The body of an answer with status 200.
    private struct Said: Codable {
        var verdict: String
        var detail: String?
    }

    /// Asks once.
    static func ask(_ rule: WebhookRule, _ work: GateWork, _ client: GateClient) async
        -> GateFinding
    {
        let asked = Asked(
            rollout: work.rollout, plan: work.plan, wave: work.wave, gate: work.gate.name,
            round: work.round, hosts: work.hosts)
        do {
            let answer = try await client.ask(
                .init(
                    url: rule.url, headers: rule.headers,
                    contentType: "application/json", body: try WireJSON.encode(asked),
                    timeout: rule.timeout))
            return finding(answer)
        } catch let error as GateClient.NoAnswer {
            return .noData(error.why)
        } catch {
            return .noData("the question cannot be written as JSON")
        }
    }

    static func finding(_ answer: GateClient.Answer) -> GateFinding {
        guard answer.status == 200 else {
            return .noData("the webhook answered with status \(answer.status)")
        }
        guard let said = try? WireJSON.decode(Said.self, from: answer.body) else {
            return .noData("the webhook's answer is not {\"verdict\": …, \"detail\": …}")
        }
        guard let verdict = Verdict(rawValue: said.verdict) else {
            return .noData("the webhook's verdict is not pass, fail or inconclusive")
        }
        let detail = PlainText.line(said.detail ?? "")
        return .found(
            verdict, "the webhook says \(verdict.rawValue)" + (detail.isEmpty ? "" : ": \(detail)"))
    }
}
