import FleetTransport
import FleetWire
import Logging
import RolloutCore

/// Two live agents with one identity, as after a machine was copied with its state directory.
///
/// An agent has one session at a time, and ends it before it dials again. So when an identity comes
/// a second time, the first session is asked something new: if it still answers, two agents live, the
/// second is turned away, and both are named. If it does not, it was dead, and the second takes its
/// place. Which of the two is the real one nobody can tell from here: the first one that is connected
/// stays, and the operator enrols one of them anew.
extension Coordinator {
    /// The kind under which the host's trouble is known.
    static let rivalTrouble = "identity_in_use_twice"

    /// True once no other session has the identity of this one; false if it was turned away.
    func settleRivals(of session: AgentSession) async -> Bool {
        while let first = presence[session.host]?.session, first.number != session.number {
            guard await isAlive(first) else {
                guard presence[session.host]?.session.number == first.number else { continue }
                first.close(
                    farewell: Farewell(
                        reason: "replaced by a newer connection", retryAfter: .seconds(1)))
                return !session.isClosed
            }
            guard presence[session.host]?.session.number == first.number else { continue }
            turnAway(session, first)
            return false
        }
        return !session.isClosed
    }

    /// True if the session answers a question that it cannot have heard before.
    private func isAlive(_ session: AgentSession) async -> Bool {
        do {
            _ = try await session.ask(
                .check, CheckRequest(checks: [], variables: [:], labels: [:]),
                within: CoordinatorLimits.rivalAnswersWithin)
            return true
        } catch let refusal as Refusal {
            // An agent that refuses lives; our own refusal says that nothing came.
            return refusal.code != "unreachable"
        } catch {
            return false
        }
    }

    private func turnAway(_ second: AgentSession, _ first: AgentSession) {
        let host = second.host
        let text =
            "two agents use the identity of \(host): one at \(first.address), which stays, and one "
            + "at \(second.address), which is turned away"
        logger.critical(
            "\(text)",
            metadata: [
                "host": "\(host)",
                "remedy": "stop the copy, and enrol it under a name of its own",
            ])
        second.close(farewell: Farewell(reason: text, retryAfter: CoordinatorLimits.rivalPause))
        rivals[host] = clock()
        let known = registry.troubles[host] ?? []
        guard !known.contains(where: { $0.kind == Self.rivalTrouble }), !isTelling(host) else {
            return
        }
        let trouble = HostTrouble(
            kind: Self.rivalTrouble, subject: second.address, text: text, since: clock())
        enqueue(
            .fleet(.troubleFound(host: host, trouble: trouble)), actor: "coordinator", done: nil)
    }

    private func isTelling(_ host: HostID) -> Bool {
        pending.contains { input in
            if case .fleet(.troubleFound(host, let trouble)) = input.content {
                trouble.kind == Self.rivalTrouble
            } else {
                false
            }
        }
    }

    /// Ends the trouble of hosts whose identity came only once for long.
    func endRivalries(_ now: Timestamp) {
        for (host, last) in rivals where now.since(last) > CoordinatorLimits.rivalQuiet {
            rivals[host] = nil
            for trouble in registry.troubles[host] ?? [] where trouble.kind == Self.rivalTrouble {
                enqueue(
                    .fleet(
                        .troubleEnded(host: host, kind: trouble.kind, subject: trouble.subject)),
                    actor: "coordinator", done: nil)
            }
        }
    }

    /// After a restart what was known of rivals ends as any other does.
    func recallRivals() {
        for (host, troubles) in registry.troubles
        where troubles.contains(where: { $0.kind == Self.rivalTrouble }) {
            rivals[host] = startedAt
        }
    }
}
