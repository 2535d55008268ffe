import AgentCore
import FleetWire

/// What the agent did since it began, as metrics: how often, how often in vain, and how long.
struct OperationCounts: Sendable {
    private(set) var samples: [String: Double] = [:]

    /// Counts one piece of work that ended.
    mutating func count(_ effect: HostEffect, _ result: WorkResult?, took: Int64) {
        let name: String
        switch effect {
        case .fetch: name = "fetch"
        case .capture, .saveBefore: name = "capture"
        case .step: name = "step"
        case .checks: name = "validation"
        case .restore, .restorePoint: name = "restore"
        case .checkSpace, .arm, .rearm, .disarm, .pause, .evidence, .cancel, .reconnect, .send,
            .refuse:
            return
        }
        add(1, to: "belay_agent_\(name)_total")
        add(Double(took) / 1000, to: "belay_agent_\(name)_duration_seconds_total")
        add(Self.isFailure(result) ? 1 : 0, to: "belay_agent_\(name)_failures_total")
    }

    private mutating func add(_ value: Double, to name: String) {
        samples[name, default: 0] += value
    }

    private static func isFailure(_ result: WorkResult?) -> Bool {
        switch result {
        case .problem, .notRestored, nil: true
        case .step(let outcome): outcome.status != .done
        case .checks(let found): !found.allSatisfy { $0.status == .pass || $0.status == .warn }
        case .done, .point, .evidence, .restored, .restoredPoint, .guardActed: false
        }
    }
}
