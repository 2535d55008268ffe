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
                    ? "now" : host.lastSeen.map { QuantityText.age($0, now: now) } ?? "never",
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
                    : host.lastSeen.map { QuantityText.age($0, now: now) + " ago" } ?? "never"
            ),
            ("agent", host.agentVersion ?? ""), ("held by", host.heldBy?.rawValue ?? "no rollout"),
            ("certificate", "ends " + QuantityText.date(host.certificateEnds)),
        ]
        if let skew = host.clockSkew { rows.append(("clock", "\(skew.count) ms off")) }
        if let revoked = host.revoked { rows.append(("revoked", revoked)) }
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

    static func quarantine(_ items: [QuarantineView], style: Style) -> [String] {
        var table = TextTable(["DIGEST", "SINCE", "ROLLOUT", "REASON"])
        table.rows = items.map {
            [$0.digest.description, QuantityText.date($0.at), $0.rollout.rawValue, $0.reason]
        }
        return table.lines(style: style, empty: "nothing is quarantined")
    }

    static func points(_ points: [HostPoints], isWide: Bool, style: Style) -> [String] {
        var titles = ["HOST", "POINT", "TAKEN", "ROLLOUT", "SIZE", "REASON"]
        if isWide { titles += ["ENTRIES", "COMPONENTS", "DIGEST"] }
        var table = TextTable(titles, right: ["SIZE", "ENTRIES"])
        for host in points {
            for point in host.reply.points {
                let bytes = point.components.reduce(UInt64(0)) { $0 &+ $1.bytes.count }
                var row = [
                    host.host.rawValue, point.id.rawValue, QuantityText.date(point.at),
                    point.rollout?.rawValue ?? "", QuantityText.bytes(ByteCount(bytes)),
                    point.reason,
                ]
                if isWide {
                    row += [
                        "\(point.components.reduce(0) { $0 &+ $1.entries })",
                        point.components.map(\.name.rawValue).joined(separator: ","),
                        point.digest.short,
                    ]
                }
                table.rows.append(row)
            }
        }
        return table.lines(style: style, empty: "no rollback points")
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
        return host.connected
            ? style.paint("connected", .good) : style.paint("away", .caution)
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

/// One host's answer about its points.
struct HostPoints: Codable, Sendable {
    var host: FleetWire.HostID
    var reply: PointReply
}
