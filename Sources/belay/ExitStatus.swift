import OperatorAPI
import RolloutCore

/// With what the command ends; the table in `docs/reference/exit-codes.md` says the same, and a test
/// holds the two together.
enum ExitStatus: Int32, CaseIterable, Sendable {
    case done = 0
    case error = 1
    case hostsFailed = 2
    case invalid = 3
    case unreachable = 4
    case usage = 5
    case gateFailed = 6
    case inconclusive = 7
    case rolledBack = 9
    case rollbackFailed = 10
    case aborted = 11
    case notAuthorised = 12
    case notFound = 13
    case conflict = 14
    case timedOut = 124
    case interrupted = 130

    /// What the table says of it.
    var meaning: String {
        switch self {
        case .done: "done"
        case .error: "error"
        case .hostsFailed: "hosts failed"
        case .invalid: "refused or invalid input"
        case .unreachable: "coordinator or hosts unreachable"
        case .usage: "usage"
        case .gateFailed: "gate or validation failed"
        case .inconclusive: "gate or validation inconclusive"
        case .rolledBack: "rolled back"
        case .rollbackFailed: "rollback failed"
        case .aborted: "aborted"
        case .notAuthorised: "not authorised"
        case .notFound: "not found"
        case .conflict: "conflict"
        case .timedOut: "timed out"
        case .interrupted: "interrupted"
        }
    }

    /// The status for an `APIFailure.code`.
    init(apiCode code: String) {
        switch code {
        case "invalid": self = .invalid
        case "unreachable": self = .unreachable
        case "not_authorised": self = .notAuthorised
        case "not_found": self = .notFound
        case "conflict": self = .conflict
        case "timed_out": self = .timedOut
        default: self = .error
        }
    }

    /// The `code` of a failure that is printed as JSON.
    var code: String {
        switch self {
        case .invalid: "invalid"
        case .unreachable: "unreachable"
        case .usage: "usage"
        case .notAuthorised: "not_authorised"
        case .notFound: "not_found"
        case .conflict: "conflict"
        case .timedOut: "timed_out"
        case .done, .error, .hostsFailed, .gateFailed, .inconclusive, .rolledBack,
            .rollbackFailed, .aborted, .interrupted:
            "error"
        }
    }

    /// How `apply` and `watch` end for a rollout that has ended; nil while it goes on.
    init?(outcomeOf view: RolloutView) {
        switch view.state {
        case .planned, .awaitingApproval, .running, .paused, .rollingBack: return nil
        case .succeeded: self = view.lostHosts.isEmpty ? .done : .hostsFailed
        case .rolledBack: self = .rolledBack
        case .rollbackFailed: self = .rollbackFailed
        case .aborted: self = .aborted
        }
    }

    /// How `rollback` ends, for which "rolled back" is what was wanted; nil while it goes on.
    init?(rollbackOutcomeOf view: RolloutView) {
        guard let outcome = ExitStatus(outcomeOf: view) else { return nil }
        let failed = view.hosts.contains { $0.state == .rollbackFailed }
        self = outcome == .rollbackFailed || failed ? .rollbackFailed : .done
    }
}

extension RolloutView {
    /// Hosts that ended otherwise than committed and that nobody left out on purpose.
    var lostHosts: [HostView] {
        hosts.filter { host in
            switch host.state {
            case .failed, .unreachable, .timedOut, .rollingBack, .rolledBack, .rollbackFailed: true
            case .pending, .preparing, .validating, .ready, .migrating, .verifying, .soaking,
                .committed, .skipped, .late:
                false
            }
        }
    }
}
