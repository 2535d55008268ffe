import FleetWire

/// `points.json`: what the last looks at the stored points found wrong, so that a start of the agent
/// does not forget it.
struct PointHealth: Codable, Sendable, Hashable {
    static let fileName = "points.json"

    /// Damaged points and a store that could not be read, oldest first.
    var troubles: [HostTrouble] = []
    /// When all objects were last read back.
    var scrubbed: Timestamp?

    /// Takes over what a scrub or a repair found. What was known before it began stands no more;
    /// damage that a look at a point found since then does: the scrub may have been past it.
    mutating func take(_ reply: PointReply, begun: Timestamp? = nil, at now: Timestamp) {
        guard let scrub = reply.scrub else { return }
        let before = troubles
        let since = before.filter { trouble in
            trouble.kind == "point_damaged" && begun.map { trouble.since >= $0 } ?? false
                && !scrub.damagedPoints.contains { $0.rawValue == trouble.subject }
        }
        troubles = scrub.damagedPoints.map { point in
            let lines = (reply.damaged ?? []).filter { $0.hasPrefix("point \(point): ") }
            return Self.damaged(point, lines, at: now)
        }
        if troubles.isEmpty, let first = reply.damaged?.first {
            troubles = [
                HostTrouble(
                    kind: "store_damaged", subject: "store",
                    text: "\(first); run `belay-agent point repair`", since: now)
            ]
        }
        troubles += since
        keepSince(before)
    }

    /// Takes over what a look at one point found.
    mutating func take(_ point: PointID, damaged lines: [String], isDeep: Bool, at now: Timestamp) {
        let before = troubles
        // A shallow look does not see what a deep one found.
        guard isDeep || !lines.isEmpty else { return }
        troubles.removeAll { $0.kind == "point_damaged" && $0.subject == point.rawValue }
        if !lines.isEmpty { troubles.append(Self.damaged(point, lines, at: now)) }
        keepSince(before)
    }

    /// Forgets points that are gone.
    mutating func forget(_ points: [PointID]) {
        let gone = Set(points.map(\.rawValue))
        troubles.removeAll { $0.kind == "point_damaged" && gone.contains($0.subject) }
    }

    /// Notes that the scrub itself failed.
    mutating func scrubFailed(_ reason: String, at now: Timestamp) {
        let before = troubles
        troubles.removeAll { $0.kind == "scrub_failed" }
        troubles.append(
            HostTrouble(kind: "scrub_failed", subject: "store", text: reason, since: now))
        keepSince(before)
    }

    /// The ids of damaged points.
    var damagedPoints: Set<PointID> {
        Set(
            troubles.filter { $0.kind == "point_damaged" }.compactMap {
                PointID(rawValue: $0.subject)
            })
    }

    private mutating func keepSince(_ before: [HostTrouble]) {
        for index in troubles.indices {
            let known = before.first {
                $0.kind == troubles[index].kind && $0.subject == troubles[index].subject
            }
            if let known { troubles[index].since = known.since }
        }
    }

    private static func damaged(
        _ point: PointID, _ lines: [String], at now: Timestamp
    ) -> HostTrouble {
        let first = lines.first.map { $0.cut(toJSONBytes: 500) } ?? "it is damaged"
        let more = lines.count > 1 ? " (and \(lines.count - 1) more)" : ""
        return HostTrouble(
            kind: "point_damaged", subject: point.rawValue,
            text: "\(first)\(more); run `belay-agent point repair`", since: now)
    }
}
