package import FleetWire

/// What checks found on one or more hosts, for people and programs.
package struct ValidationReport: Codable, Sendable, Hashable {
    /// One host's part.
    package struct Host: Codable, Sendable, Hashable {
        /// The host.
        package var host: String
        /// One result a check, in their order.
        package var results: [CheckResult]
        /// Why it gave no results; nil if it did.
        package var problem: String?
        /// A part of these fields.
        package init(host: String, results: [CheckResult], problem: String? = nil) {
            self.host = host
            self.results = results
            self.problem = problem
        }
    }

    /// `validation`, `readiness of registry-2`: what was asked.
    package var title: String
    /// When it began.
    package var at: Timestamp
    /// The verdict over all hosts.
    package var verdict: Verdict
    /// The hosts, in their order.
    package var hosts: [Host]

    /// A report over `hosts`, each of which was asked `asked`. One host that fails fails all; one
    /// without a clear answer, and no host at all, leave it inconclusive.
    package init(title: String, at: Timestamp, asked: [CheckSpec], hosts: [Host]) {
        self.title = title
        self.at = at
        self.hosts = hosts
        let verdicts = hosts.map { Verdict(asked: asked, found: $0.results) }
        verdict =
            verdicts.contains(.fail)
            ? .fail : verdicts.isEmpty || verdicts.contains(.inconclusive) ? .inconclusive : .pass
    }

    /// How many results have this status.
    package func count(_ status: CheckStatus) -> Int {
        hosts.reduce(0) { $0 + $1.results.count { $0.status == status } }
    }

    /// Exit code: 0 passed, 6 failed, 7 inconclusive (docs/reference/exit-codes.md).
    package var exitCode: Int32 {
        switch verdict {
        case .pass: 0
        case .fail: 6
        case .inconclusive: 7
        }
    }

    /// `12 passed, 1 warned, 1 failed`: only what there is.
    package var summary: String {
        let words: [(CheckStatus, String)] = [
            (.pass, "passed"), (.warn, "warned"), (.fail, "failed"), (.unknown, "unknown"),
            (.notApplicable, "not applicable"),
        ]
        let parts = words.compactMap { status, word in
            count(status) == 0 ? nil : "\(count(status)) \(word)"
        }
        return parts.isEmpty ? "nothing was looked at" : parts.joined(separator: ", ")
    }
}
