import FoundationEssentials

/// All rows of one run, and what they were measured with.
struct Report: Sendable {
    var rows: [ReportRow] = []
    /// By program: what it says of itself.
    var versions: [String: String]
    /// The commit that was measured; with `-dirty` if files differed from it.
    var commit: String
    /// Processor, memory, kernel and file system.
    var machine: String
    /// ISO 8601, UTC.
    var at: String

    /// Above this share of the processors in other hands a row is marked.
    static let loadedShare = 0.15

    /// An array with one object for each row; each says all that is needed to read it alone.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let data = try encoder.encode(rows.map { EncodedRow(row: $0, report: self) })
        return String(decoding: data, as: UTF8.self) + "\n"
    }

    /// The rows as a Markdown table whose columns stand under each other.
    func table() -> String {
        let titles = ["what", "unit", "Belay", "peer", "its", "Belay : peer", "target", "holds"]
        let cells = rows.map { row in
            [
                row.what + (row.othersShare > Self.loadedShare ? " \\*" : ""), row.unit,
                Self.text(row.ours, row.unit), row.peerName,
                row.peerName.isEmpty ? "" : Self.text(row.peer, row.unit),
                Self.ratio(row), row.rule.words(unit: row.unit, peer: row.peerName),
                row.holds.map { $0 ? "yes" : "NO" } ?? "",
            ]
        }
        let widths = titles.indices.map { column in
            ([titles] + cells).map { $0[column].count }.max() ?? 0
        }
        func line(_ cells: [String]) -> String {
            let padded = zip(cells, widths).map { text, width in
                text + String(repeating: " ", count: width - text.count)
            }
            return "| \(padded.joined(separator: " | ")) |"
        }
        let rule = line(widths.map { String(repeating: "-", count: $0) })
        return ([line(titles), rule] + cells.map(line)).joined(separator: "\n")
    }

    /// What stands below the table: notes, commands, versions, machine.
    func legend() -> String {
        var lines: [String] = []
        let notes = rows.filter { !$0.note.isEmpty }
        lines += notes.map { row in
            "- \(row.what)\(row.peerName.isEmpty ? "" : ", \(row.peerName)"): \(row.note)"
        }
        if rows.contains(where: { $0.othersShare > Self.loadedShare }) {
            lines.append(
                "- \\*: other processes used up to \(Int((worstShare * 100).rounded())) % of the"
                    + " processors in a part of this row")
        }
        lines.append("- machine: \(machine)")
        lines += versions.sorted { $0.key < $1.key }.map { "- \($0.key): \($0.value)" }
        lines.append("- commit: \(commit); measured at \(at)")
        return lines.joined(separator: "\n")
    }

    /// Prints all of it, and where the file is.
    func tell(writtenTo file: String) {
        Narrator.print(table() + "\n\n" + legend() + "\n\n" + commands())
        Narrator.say("written to \(file)")
    }

    /// Each command that was timed, once, by what was measured with it.
    func commands() -> String {
        var seen: Set<String> = []
        let pairs = rows.flatMap { row in
            [(row.what, row.oursCommand), (row.what, row.peerCommand)]
        }
        return pairs.filter { !$0.1.isEmpty && seen.insert($0.1).inserted }
            .map { "- \($0.0): `\($0.1)`" }.joined(separator: "\n")
    }

    private var worstShare: Double { rows.map(\.othersShare).max() ?? 0 }

    private static func text(_ value: Quantiles?, _ unit: String) -> String {
        guard let value else { return "not measured" }
        func number(_ value: Double) -> String { Narrator.number(value, unit: unit) }
        if value.count == 1 || value.least == value.most { return number(value.median) }
        return "\(number(value.median)) (\(number(value.least))–\(number(value.most)))"
    }

    private static func ratio(_ row: ReportRow) -> String {
        guard let ours = row.ours, let peer = row.peer, peer.median > 0 else { return "" }
        return Narrator.number(ours.median / peer.median)
    }
}

/// A row as the file has it: every key is always there, null where nothing was measured.
private struct EncodedRow: Encodable {
    let row: ReportRow
    let report: Report

    enum CodingKeys: String, CodingKey {
        case what, unit, ours, peer, target, holds, runs, versions, commit, machine, at, note
        case peerName = "peer_name"
        case oursLeast = "ours_min"
        case oursMost = "ours_max"
        case peerLeast = "peer_min"
        case peerMost = "peer_max"
        case oursCommand = "ours_command"
        case peerCommand = "peer_command"
        case targetRule = "target_rule"
        case othersShare = "others_cpu_share"
    }

    func encode(to encoder: any Encoder) throws {
        var keyed = encoder.container(keyedBy: CodingKeys.self)
        try keyed.encode(row.what, forKey: .what)
        try keyed.encode(row.unit, forKey: .unit)
        try keyed.encode(row.ours?.median, forKey: .ours)
        try keyed.encode(row.ours?.least, forKey: .oursLeast)
        try keyed.encode(row.ours?.most, forKey: .oursMost)
        try keyed.encode(row.ours?.count ?? 0, forKey: .runs)
        try keyed.encode(row.peer?.median, forKey: .peer)
        try keyed.encode(row.peer?.least, forKey: .peerLeast)
        try keyed.encode(row.peer?.most, forKey: .peerMost)
        try keyed.encode(row.peerName, forKey: .peerName)
        try keyed.encode(row.target, forKey: .target)
        try keyed.encode(
            row.rule.words(unit: row.unit, peer: row.peerName), forKey: .targetRule)
        try keyed.encode(row.holds, forKey: .holds)
        try keyed.encode(row.oursCommand, forKey: .oursCommand)
        try keyed.encode(row.peerCommand, forKey: .peerCommand)
        try keyed.encode(row.othersShare, forKey: .othersShare)
        try keyed.encode(row.note, forKey: .note)
        try keyed.encode(report.versions, forKey: .versions)
        try keyed.encode(report.commit, forKey: .commit)
        try keyed.encode(report.machine, forKey: .machine)
        try keyed.encode(report.at, forKey: .at)
    }
}
