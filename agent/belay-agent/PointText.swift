import AgentRuntime
import FleetWire

/// Points and what was done with them, as people read it.
enum PointText {
    static func points(
        _ points: [PointSummary], isWide: Bool, now: Timestamp, style: Style
    ) -> [String] {
        if points.isEmpty { return [style.paint("no points", .faint)] }
        var rows = [
            ["POINT", "NAME", "AGE", "SIZE", "COMPONENTS", "REASON", "IN USE"]
                + (isWide ? ["ENTRIES", "ROLLOUT", "DIGEST"] : [])
        ]
        rows += points.map { point in
            let bytes = point.components.reduce(UInt64(0)) { $0 &+ $1.bytes.count }
            let reason = (point.isDamaged == true ? "DAMAGED: " : "") + point.reason
            return [
                point.id.rawValue, point.name ?? "-",
                point.at.milliseconds > 0 ? point.at.age(at: now) : "-",
                ByteCount(bytes).text,
                point.components.map(\.name.rawValue).joined(separator: ","), reason,
                point.inUse ?? "-",
            ]
                + (isWide
                    ? [
                        "\(point.components.reduce(0) { $0 + $1.entries })",
                        point.rollout?.rawValue ?? "-", point.digest.short,
                    ] : [])
        }
        return table(rows, style: style)
    }

    /// What the drivers warn of, one line a note.
    static func notes(_ points: [PointSummary], style: Style) -> [String] {
        points.flatMap(\.components).flatMap { component in
            (component.notes ?? []).map {
                style.paint("note: ", .caution) + "\(component.name): \(Quantity.inOneLine($0))"
            }
        }
    }

    /// Columns as wide as what they hold, two spaces between them; the first row is the header.
    static func table(_ rows: [[String]], style: Style) -> [String] {
        let rows = rows.map { $0.map { cell in cell.isEmpty ? "-" : Quantity.inOneLine(cell) } }
        let columns = rows.first?.count ?? 0
        let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.enumerated().map { index, row in
            var line = zip(row, widths).map { cell, width in
                cell + String(repeating: " ", count: width - cell.count)
            }.joined(separator: "  ")
            while line.hasSuffix(" ") { line.removeLast() }
            return index == 0 ? style.paint(line, .faint) : line
        }
    }

    /// `+ path` for what is added, `-` for what goes, `~` for what differs.
    static func change(_ change: HostChange, style: Style) -> String {
        let detail = change.detail.isEmpty ? "" : "  \(change.detail)"
        let text = "\(change.path)  [\(change.component)]\(detail)"
        switch change.change {
        case .added: return style.paint("+ \(text)", .good)
        case .removed: return style.paint("- \(text)", .bad)
        case .content, .metadata, .kind: return style.paint("~ \(text)", .caution)
        }
    }

    static func restored(_ restore: RestoreReply, isDryRun: Bool) -> [String] {
        let names = restore.components.map(\.rawValue).joined(separator: ", ")
        if isDryRun {
            return [
                "a restore of \(names) to \(restore.point) would change \(restore.changed) and "
                    + "remove \(restore.removed); nothing was changed"
            ]
        }
        let done =
            "restored \(names) to \(restore.point) in \(restore.took.text): "
            + "\(restore.changed) changed, \(restore.removed) removed"
        guard let before = restore.before else {
            return [done, "the state before was not captured"]
        }
        return [done, "to go back: belay-agent point restore \(before)"]
    }

    static func pruned(_ prune: PruneReply, isDryRun: Bool, style: Style) -> [String] {
        let verb = isDryRun ? "would remove" : "removed"
        return prune.removed.map { style.paint("- \($0)", .bad) } + [
            "\(verb) \(Quantity.count(prune.removed.count, "point")), \(prune.kept) stay, "
                + "\(prune.freed.text) \(isDryRun ? "would come free" : "freed")"
        ] + (prune.deferred ?? []).map { "left for the next prune: \($0)" }
    }

    static func scrubbed(_ scrub: ScrubReply, isRepair: Bool, style: Style) -> [String] {
        var lines = [
            "read \(Quantity.count(scrub.objects, "object")) in \(scrub.took.text)"
                + (isRepair ? ", repaired \(scrub.repaired)" : "")
        ]
        lines += scrub.damagedPoints.map { style.paint("damaged: ", .bad) + "point \($0)" }
        return lines
    }
}

/// Quantities as people read and write them.
enum Quantity {
    /// `1 point`, `6 points`.
    static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)" + (number == 1 ? "" : "s")
    }

    /// A line feed in a cell would begin a line that looks like a row.
    static func inOneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    /// Reads `30s`, `5m`, `2h`, `7d`; nil for anything else.
    static func span(_ text: String) -> Milliseconds? {
        number(text, ["s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000])
            .map(Milliseconds.init)
    }

    /// Reads `500MiB`, `20GiB`, `1TiB`; nil for anything else.
    static func size(_ text: String) -> ByteCount? {
        number(text, ["KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40])
            .map { ByteCount(UInt64($0)) }
    }

    private static func number(_ text: String, _ units: [String: Int64]) -> Int64? {
        let digits = text.prefix { ("0"..."9").contains($0) }
        guard let unit = units[String(text.dropFirst(digits.count))], let number = Int64(digits),
            number > 0
        else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit)
        return overflow ? nil : product
    }
}

/// How far an operation is, in one line.
enum ProgressText {
    /// `capturing etc: 1200 files, 56.1 MiB, 12.0 MiB/s, 3s left`.
    static func line(_ progress: ControlProgress, elapsed: Milliseconds) -> String {
        let what = progress.component.map { " \($0)" } ?? ""
        var parts = [
            progress.entriesTotal.map { "\(progress.entries) of \($0) entries" }
                ?? "\(progress.entries) entries"
        ]
        let bytes = progress.bytes.count
        if bytes > 0 {
            parts.append(
                progress.bytesTotal.map {
                    "\(progress.bytes.text) of \($0.text)"
                }
                    ?? progress.bytes.text)
        }
        let seconds = Double(elapsed.count) / 1000
        if seconds >= 1, bytes > 0 {
            parts.append("\(ByteCount(UInt64(Double(bytes) / seconds)).text)/s")
        }
        if let left = left(progress, seconds) { parts.append("\(left.text) left") }
        return "\(progress.phase)\(what): \(parts.joined(separator: ", "))"
    }

    /// What is left at the present rate: by bytes where their sum is known, else by entries.
    private static func left(_ progress: ControlProgress, _ seconds: Double) -> Milliseconds? {
        let done: Double
        let total: Double
        if let bytes = progress.bytesTotal, bytes.count > 0 {
            (done, total) = (Double(progress.bytes.count), Double(bytes.count))
        } else if let entries = progress.entriesTotal {
            (done, total) = (Double(progress.entries), Double(entries))
        } else {
            return nil
        }
        guard seconds >= 1, done > 0, total > done else { return nil }
        return Milliseconds(Int64(min(seconds / done * (total - done), 1e9) * 1000))
    }
}
