import FleetWire

extension PlanChecker {
    mutating func checkGate(_ gate: ResolvedGate, _ path: PlanPath) {
        checkSpan(gate.every, atLeast: 100, path["every"])
        checkSpan(gate.inconclusiveFor, atLeast: 0, path["inconclusive_for"])
        switch gate.probe {
        case .checks(let checks):
            if checks.isEmpty {
                error(
                    path,
                    "a gate needs checks, or another of \(Self.listed(PlanShape.gateKinds)); with "
                        + "nothing to rest on it never opens")
            }
            checkChecks(checks, path["checks"])
        case .approval(let rule):
            checkApproval(rule, path["approval"])
            if gate.onNoData == .fail {
                error(
                    path["on_no_data"],
                    "persons are waited for; an approval has no answer without data", atKey: true)
            }
            checkNotAsked(gate, path)
        case .metric(let rule): checkMetric(rule, path["metric"])
        case .webhook(let rule):
            let here = path["webhook"]
            checkServer(rule.url, rule.headers, rule.timeout, here)
        case .prometheus(let rule):
            let here = path["prometheus"]
            checkServer(rule.url, rule.headers, rule.timeout, here)
            checkQuery(rule.query, here["query"])
            checkLimit(rule.limit, here)
            checkRange(rule.samplesMin, 1...100_000, here["samples"])
        }
    }

    /// What says how often a gate is asked says nothing of persons.
    private mutating func checkNotAsked(_ gate: ResolvedGate, _ path: PlanPath) {
        if gate.every != ResolvedGate.everyDefault {
            error(
                path["every"], "persons are waited for; an approval is not asked again and again",
                atKey: true)
        }
        if gate.inconclusiveFor != ResolvedGate.inconclusiveForDefault {
            error(
                path["inconclusive_for"],
                "persons are waited for; an approval does not fail by time (`expires` ends one that "
                    + "opened nothing)", atKey: true)
        }
    }

    mutating func checkApproval(_ rule: ApprovalRule, _ path: PlanPath) {
        checkRange(rule.persons, 1...2, path["persons"])
        if let expires = rule.expires { checkSpan(expires, atLeast: 1000, path["expires"]) }
    }

    private mutating func checkMetric(_ rule: MetricRule, _ path: PlanPath) {
        if rule.metric.isEmpty || rule.metric.utf8.count > 128
            || rule.metric.contains(where: \.isWhitespace)
        {
            error(path["name"], "a metric has a name of 1 to 128 bytes without spaces")
        }
        checkSpan(rule.window, atLeast: 1000, path["window"])
        checkRange(rule.samplesMin, 1...100_000, path["samples"])
        checkLimit(rule.limit, path)
    }

    private mutating func checkLimit(_ limit: Double, _ path: PlanPath) {
        if !limit.isFinite { error(path, "a limit is a number, found `\(limit)`") }
    }

    private mutating func checkServer(
        _ url: String, _ headers: [String: String], _ timeout: Milliseconds, _ path: PlanPath
    ) {
        checkURL(url, path["url"])
        checkSpan(timeout, atLeast: 100, path["timeout"])
        for (name, value) in headers.sorted(by: { $0.key < $1.key }) {
            checkHeader(name, value, path["headers"][name])
        }
    }

    private mutating func checkURL(_ url: String, _ path: PlanPath) {
        let parts = url.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        let scheme = parts.first.map(String.init) ?? ""
        let host = (parts.count == 2 ? parts[1] : "").prefix { !"/?#".contains($0) }
        if parts.count < 2 || !["http", "https"].contains(scheme) {
            let hint = parts.count < 2 ? "" : NearestName.hint(scheme, among: ["http", "https"])
            error(
                path,
                "expected a URL that begins with `http://` or `https://`, found `\(url)`\(hint)")
        } else if host.isEmpty || host.hasPrefix(":") {
            error(path, "the URL `\(url)` names no host")
        } else if host.contains("@") {
            error(
                path,
                "no credentials in a URL: it stands in the journal; use `headers` with a value "
                    + "`file:/path`")
        } else if url.contains(where: { $0.isWhitespace || $0 == "\0" }) || url.utf8.count > 2048 {
            error(path, "a URL has at most 2048 bytes and no spaces")
        }
    }

    private mutating func checkHeader(_ name: String, _ value: String, _ path: PlanPath) {
        let isToken =
            !name.isEmpty
            && name.utf8.allSatisfy { byte in
                // RFC 9110, 5.6.2.
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
        if !isToken { error(path, "`\(name)` is not a name of a header", atKey: true) }
        if value.contains(where: { $0.isNewline || $0 == "\0" }) {
            error(path, "a header's value is one line")
        }
        if value.hasPrefix("file:") {
            if !value.hasPrefix("file:/") {
                error(path, "expected `file:` and an absolute path on the coordinator")
            }
            return
        }
        let secret = ["authorization", "token", "secret", "password", "cookie", "key"]
        let lower = name.lowercased()
        if secret.contains(where: { lower.contains($0) }) {
            warn(
                path,
                "this value stands in the plan and in the journal; write `file:/path` and the "
                    + "coordinator reads it when it asks")
        }
    }

    /// PromQL is left to the server, but for what is put into it.
    private mutating func checkQuery(_ query: String, _ path: PlanPath) {
        if query.allSatisfy(\.isWhitespace) { return error(path, "the query is empty") }
        if query.utf8.count > 8192 { error(path, "a query has at most 8192 bytes") }
        var rest = Substring(query)
        while let open = rest.firstRange(of: "{{") {
            let after = rest[open.upperBound...]
            let offset = query.unicodeScalars.distance(from: query.startIndex, to: open.lowerBound)
            guard let close = after.firstRange(of: "}}") else {
                return error(path, "a `{{` has no `}}`", offset: offset)
            }
            let name = after[..<close.lowerBound].filter { $0 != " " && $0 != "\t" }
            if name != "wave.hosts" {
                error(
                    path,
                    "`{{ \(name) }}` is not known in a query; expected `{{ wave.hosts }}`",
                    offset: offset)
            }
            rest = after[close.upperBound...]
        }
    }
}
