import FleetWire
import RolloutCore

/// Follows a rollout by long polls, through absences of the coordinator, until it has ended.
struct RolloutFollower: Sendable {
    /// What a follower sees.
    enum Update: Sendable {
        /// The rollout changed.
        case view(RolloutView)
        /// The coordinator went away, at this moment, for this reason.
        case away(since: Timestamp, why: String)
        /// It is back.
        case back
    }

    let client: APIClient
    let rollout: RolloutID
    /// The wait after the first failure; doubled up to `retryMax`.
    var retryFirst = Milliseconds(250)
    var retryMax = Milliseconds.seconds(5)

    /// Returns the last view once the rollout has ended; throws what waiting cannot mend.
    @discardableResult
    func run(_ give: (Update) async throws -> Void) async throws -> RolloutView {
        var after: UInt64 = 0
        var retry = retryFirst
        var away: Timestamp?
        while true {
            do {
                let view = try await poll(after: after)
                if away != nil { try await give(.back) }
                away = nil
                retry = retryFirst
                if view.sequence != after || after == 0 { try await give(.view(view)) }
                after = view.sequence
                if ExitStatus(outcomeOf: view) != nil { return view }
            } catch let failure as CommandFailure
                where failure.status == .unreachable || failure.status == .timedOut
            {
                if away == nil {
                    away = Clock.now
                    try await give(.away(since: Clock.now, why: failure.message))
                }
                try await Task.sleep(for: retry.duration)
                retry = min(retry + retry, retryMax)
            }
        }
    }

    private func poll(after: UInt64) async throws -> RolloutView {
        let wait = APIClient.Limits.poll
        let path = Path("/v1/rollouts").adding(rollout.rawValue).asking([
            ("after", after == 0 ? nil : String(after)),
            ("wait", after == 0 ? nil : String(wait.count)),
        ])
        return try await client.get(
            path, to: "follow rollout \(rollout)", within: wait + .seconds(10))
    }
}
