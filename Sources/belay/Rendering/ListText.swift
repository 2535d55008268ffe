import FleetWire
import OperatorAPI

/// Tables of hosts, tokens, points and the like.
enum ListText {
    static func hosts(_ hosts: [HostView], now: Timestamp, isWide: Bool, style: Style)
        -> [String]
    {
        var titles = ["HOST", "STATE", "SEEN", "HELD BY", "LABELS"]
        if isWide { titles += ["AGENT", "SKEW", "CERTIFICATE ENDS"] }
        var table = TextTable(titles, right: ["SEEN", "SKEW"])
        table.rows = hosts.map { host in
            var row = [
                host.id.rawValue, state(host, style),
                host.connected
                    ? "now" : host.lastSeen.map { $0.age(at: now) } ?? "never",
                host.heldBy?.rawValue ?? "", pairs(host.labels),
            ]
            if isWide {
                row += [
                    host.agentVersion ?? "", host.clockSkew.map { "\($0.count) ms" } ?? "",
                    QuantityText.date(host.certificateEnds),
                ]
            }
            return row
        }
        return table.lines(style: style, empty: "no hosts")
    }

    static func host(_ host: HostView, now: Timestamp, style: Style) -> [String] {
        var rows = [
            ("host", host.id.rawValue), ("state", state(host, style)),
            (
                "seen",
                host.connected
                    ? "now"
                    : host.lastSeen.map { $0.age(at: now) + " ago" } ?? "never"
            ),
            ("agent", host.agentVersion ?? ""), ("held by", host.heldBy?.rawValue ?? "no rollout"),
            ("certificate", "ends " + QuantityText.date(host.certificateEnds)),
        ]
        if let skew = host.clockSkew { rows.append(("clock", clock(skew, style))) }
        if let revoked = host.revoked { rows.append(("revoked", revoked)) }
        for trouble in host.troubles {
            rows.append(
                (
                    "trouble",
                    style.paint(trouble.kind.replacing("_", with: " "), .bad)
                        + " \(trouble.subject), since \(QuantityText.date(trouble.since)): "
                        + PlainText.line(trouble.text)
                ))
        }
        rows += section("labels", host.labels.map { ($0, $1) })
        rows += section("facts", host.facts.map { ($0, $1) })
        rows += section(
            "metrics",
            host.metrics.map {
                ($0, $1 == $1.rounded() && abs($1) < 1e15 ? "\(Int64($1))" : "\($1)")
            })
        return facts(rows, style)
    }

    static func tokens(_ tokens: [TokenView], now: Timestamp, style: Style) -> [String] {
        var table = TextTable(
            ["TOKEN", "STATE", "USES LEFT", "EXPIRES", "LABELS"], right: ["USES LEFT"])
        table.rows = tokens.map { token in
            let state =
                token.revoked
                ? style.paint("revoked", .bad)
                : token.expires < now
                    ? style.paint("expired", .caution)
                    : token.usesLeft == 0
                        ? style.paint("used", .faint) : style.paint("valid", .good)
            return [
                token.id, state, "\(token.usesLeft)", QuantityText.date(token.expires),
                pairs(token.labels),
            ]
        }
        return table.lines(style: style, empty: "no enrolment tokens")
    }

    static func access(_ tokens: [APITokenView], style: Style) -> [String] {
        var table = TextTable(["TOKEN", "NAME", "ROLE", "EXPIRES"])
        table.rows = tokens.map {
            [$0.id, $0.name, $0.role.rawValue, $0.expires.map(QuantityText.date) ?? "never"]
        }
        return table.lines(style: style, empty: "no access tokens")
    }

    static func quarantine(_ items: [QuarantineView], now: Timestamp, style: Style) -> [String] {
        var table = TextTable(["DIGEST", "KIND", "NAME", "SINCE", "UNTIL", "ROLLOUT", "REASON"])
        table.rows = items.map { item in
            let until = item.until.map(QuantityText.date) ?? "for good"
            return [
                item.digest.description, item.kind?.rawValue ?? "", item.name ?? "",
                QuantityText.date(item.at),
                item.hasEnded(at: now) ? style.paint(until + ", over", .faint) : until,
                item.rollout.rawValue, PlainText.line(item.reason),
            ]
        }
        return table.lines(style: style, empty: "nothing is quarantined")
    }

    static func status(_ status: StatusView, now: Timestamp, style: Style) -> [String] {
        let away = status.hosts - status.connected
        return facts(
            [
                ("coordinator", "\(status.name) \(status.version)"),
                ("client", "belay \(BelayVersion.current)"),
                (
                    "up",
                    QuantityText.span(.seconds(max(0, now.since(status.startedAt).count / 1000)))
                        + ", generation \(status.generation.rawValue)"
                ),
                (
                    "hosts",
                    "\(status.connected) of \(status.hosts) connected"
                        + (away > 0 ? style.paint(", \(away) away", .caution) : "")
                ),
                (
                    "rollouts",
                    status.openRollouts.isEmpty
                        ? "none open"
                        : status.openRollouts.map(\.rawValue).joined(separator: ", ")
                ),
                ("journal", QuantityText.count(Int(clamping: status.sequence), "record")),
                ("you", "\(status.principal.name), \(status.principal.role.rawValue)"),
            ], style)
            + status.problems.map { style.paint("problem: ", .bad) + $0 }
    }

    static func audit(_ audit: AuditView, style: Style) -> [String] {
        guard let broken = audit.brokenAt else {
            return [
                style.paint("whole: ", .good)
                    + "\(QuantityText.count(Int(clamping: audit.records), "record")), head \(audit.head)"
            ]
        }
        return [
            style.paint("broken ", .bad) + "at record \(broken): "
                + (audit.reason ?? "the chain does not hold"),
            style.paint("  try: ", .faint)
                + "keep the coordinator's state folder as evidence and compare it with a backup",
        ]
    }

    private static func state(_ host: HostView, _ style: Style) -> String {
        if host.revoked != nil { return style.paint("revoked", .bad) }
        let troubles = trouble(host).map { ", " + style.paint($0, .bad) } ?? ""
        return connection(host, style) + troubles
    }

    /// What is wrong with the host in two words, for tables; nil if nothing is.
    private static func trouble(_ host: HostView) -> String? {
        guard let first = host.troubles.first else { return nil }
        let words =
            switch first.kind {
            case "point_damaged": "point damaged"
            case "half_restored": "half restored"
            default: first.kind.replacing("_", with: " ")
            }
        return host.troubles.count > 1 ? "\(words) and \(host.troubles.count - 1) more" : words
    }

    private static func connection(_ host: HostView, _ style: Style) -> String {
        guard host.connected else { return style.paint("away", .caution) }
        guard let skew = host.clockSkew, isWrong(skew) else {
            return style.paint("connected", .good)
        }
        return style.paint("connected, clock \(difference(skew))", .caution)
    }

    /// Past this certificates and the times in reports are not to be trusted; as the coordinator's
    /// own warning has it.
    private static func isWrong(_ skew: Milliseconds) -> Bool { skew.count.magnitude > 30_000 }

    private static func difference(_ skew: Milliseconds) -> String {
        QuantityText.span(.seconds(Int64(clamping: skew.count.magnitude / 1000)))
            + (skew.count > 0 ? " ahead" : " behind")
    }

    private static func clock(_ skew: Milliseconds, _ style: Style) -> String {
        guard isWrong(skew) else { return "\(skew.count) ms off" }
        return style.paint(difference(skew), .caution)
            + " of the coordinator's; set it, best by NTP"
    }

    private static func pairs(_ labels: [String: String]) -> String {
        labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
    }

    private static func section(_ title: String, _ pairs: [(String, String)]) -> [(String, String)]
    {
        pairs.sorted { $0.0 < $1.0 }.enumerated().map { index, pair in
            (index == 0 ? title : "", "\(pair.0) = \(pair.1)")
        }
    }

    private static func facts(_ rows: [(String, String)], _ style: Style) -> [String] {
        rows.map { style.paint(DisplayWidth.pad($0, to: 12), .faint) + $1 }
    }
}
