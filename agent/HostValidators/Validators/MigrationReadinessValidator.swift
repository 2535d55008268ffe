import FleetWire
import HostProcesses
import Validation

/// The check `migration_readiness`.
struct MigrationReadinessValidator: Validator {
    let spec = ValidatorSpec.migrationReadiness

    func look(_ parameters: CheckParameters, _ context: LookContext) async -> Finding {
        let weighted = WeightedChecks(.list(parameters.list("checks")))
        guard weighted.problems.isEmpty else {
            return .unknown(
                weighted.problems.joined(separator: "; "), "correct the check in the plan")
        }
        let checks = weighted.checks.map { pair in
            var check = pair.check
            check.timeout = min(check.timeout, context.left)
            return check
        }
        let results = await CheckRunner(root: context.root, concurrency: 4)
            .run(checks, context: context.template)
        return Self.judge(
            zip(zip(checks, results), weighted.checks).map { ($0.0, $0.1, $1.weight) }, parameters)
    }

    private static func judge(
        _ results: [(check: CheckSpec, result: CheckResult, weight: Int)],
        _ parameters: CheckParameters
    ) -> Finding {
        var judgement = Judgement()
        var reached = 0.0
        var evidence: [String] = []
        for (check, result, weight) in results {
            switch result.status {
            case .pass: reached += Double(weight)
            case .warn: reached += Double(weight) / 2
            case .fail, .unknown, .notApplicable: break
            }
            evidence.append(
                "\(result.status.rawValue) \(check.name) (\(weight)): \(result.measured)")
            guard check.level == .critical else { continue }
            if result.status == .fail {
                judgement.note(.fail, "\(check.name) is critical and failed")
            } else if result.status == .unknown, check.onUnknown != .warn {
                judgement.note(.unknown, "\(check.name) is critical and unknown")
            }
        }
        let total = results.reduce(0) { $0 + $1.weight }
        let score = reached / Double(max(1, total)) * 100
        for (name, status) in [("score_min", CheckStatus.fail), ("score_warn", .warn)] {
            if let least = parameters.number(name), score < least {
                judgement.note(status, "below \(name), \(least)")
            }
        }
        let tenths = Int((score * 10).rounded(.down))
        return judgement.finding(
            "score \(tenths / 10).\(tenths % 10) of 100 by \(results.count) checks",
            remedy: "mend what did not pass", evidence: evidence)
    }
}
