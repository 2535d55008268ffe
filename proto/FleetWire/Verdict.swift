/// The verdict over several results.
package enum Verdict: String, Codable, Sendable, Hashable {
    case pass, fail, inconclusive

    /// Fail if a critical check failed; inconclusive if one that is critical is missing, or unknown
    /// with no word in the plan that this is a warning only, or if nothing passed: none was asked,
    /// none was found, or all of them are not applicable. Pass otherwise: a warning blocks nothing.
    package init(asked: [CheckSpec], found: [CheckResult]) {
        let critical = asked.filter { $0.level == .critical }
        let results = Dictionary(found.map { ($0.name, $0.status) }) { first, _ in first }
        if critical.contains(where: { results[$0.name] == .fail }) {
            self = .fail
        } else if asked.isEmpty || critical.contains(where: { $0.isOpen(results[$0.name]) })
            || !results.values.contains(where: { $0 == .pass || $0 == .warn })
        {
            self = .inconclusive
        } else {
            self = .pass
        }
    }
}

extension CheckSpec {
    /// True if a result with this status leaves open whether the host is well.
    package func isOpen(_ status: CheckStatus?) -> Bool {
        switch status {
        case nil: true
        case .unknown: onUnknown != .warn
        case .pass, .warn, .fail, .notApplicable: false
        }
    }
}
