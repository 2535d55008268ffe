import FleetSimulation
import FleetWire
import RolloutCore

/// One simulated run as SVG: a row for each host, time from left to right, coloured by state.
struct SimulationPicture {
    /// More rows than anybody can look at.
    static let hostsMax = 2000

    private let timeline: RunTimeline
    private let title: String
    /// When the picture ends: a little after the last change.
    private let end: Int64

    // MARK: - Measures, in pixels

    private let plotWidth = 960
    private let left: Int
    private let top = 62
    private let right = 24
    private let rowHeight: Int

    init(_ timeline: RunTimeline, seed: UInt64, state: RolloutState) {
        self.timeline = timeline
        let count = QuantityText.count(timeline.rows.count, "host")
        title = "Seed \(seed), \(count): \(state.label)"
        let rows = timeline.rows.flatMap { $0.states.map(\.at) + $0.isDown.map(\.at) }
        let last = (rows + timeline.rollout.map(\.at)).max() ?? 0
        end = last + max(1000, last / 50)
        rowHeight = max(4, min(18, 900 / max(1, timeline.rows.count)))
        let longest = timeline.rows.map { DisplayWidth.of($0.host.rawValue) }.max() ?? 0
        left = max(64, min(240, longest * 7 + 20))
    }

    func svg() -> String {
        var lines = [header]
        lines.append(text(left, 24, "title", title))
        lines += axis + band("rollout", y: top - 16, height: 10, rolloutBars)
        for (number, row) in timeline.rows.enumerated() {
            lines += self.row(row, y: top + number * rowHeight)
        }
        lines += faultsEnd + legend + ["</svg>"]
        return lines.joined(separator: "\n") + "\n"
    }

    // MARK: - The frame

    private var bottom: Int { top + timeline.rows.count * rowHeight }
    private var width: Int { left + plotWidth + right }

    private var header: String {
        let height = bottom + 50 + 20 * ((shown.count + 1) / Self.legendColumns + 1)
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width) \(height)" \
            width="\(width)" height="\(height)" font-family="sans-serif" font-size="11">
            <style>
            .title{font-size:15px;font-weight:600}.label{text-anchor:end}.tick{text-anchor:middle}
            text{fill:#24292f}line{stroke:#8c959f;stroke-width:1}.faults{stroke-dasharray:4 3}
            </style>
            <rect width="\(width)" height="\(height)" fill="#ffffff"/>
            """
    }

    private func x(_ moment: Int64) -> Int {
        left + Int(min(moment, end) * Int64(plotWidth) / max(1, end))
    }

    private func text(_ x: Int, _ y: Int, _ kind: String, _ text: String) -> String {
        "<text class=\"\(kind)\" x=\"\(x)\" y=\"\(y)\">\(Self.escaped(text))</text>"
    }

    private func line(_ x: Int, from: Int, to: Int, _ kind: String) -> String {
        "<line class=\"\(kind)\" x1=\"\(x)\" y1=\"\(from)\" x2=\"\(x)\" y2=\"\(to)\"/>"
    }

    /// The first round step with which there are at most ten marks.
    private var step: Int64 {
        let seconds: [Int64] = [
            1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400,
        ]
        return seconds.map { $0 * 1000 }.first { end / $0 <= 10 } ?? max(1, end / 10)
    }

    private var axis: [String] {
        var lines: [String] = []
        for moment in stride(from: 0, through: end, by: Int64.Stride(step)) {
            lines.append(line(x(moment), from: bottom, to: bottom + 5, "mark"))
            lines.append(
                text(x(moment), bottom + 18, "tick", QuantityText.span(Milliseconds(moment))))
        }
        return lines
    }

    private var faultsEnd: [String] {
        guard let moment = timeline.faultsEnd, moment < end else { return [] }
        return [
            line(x(moment), from: top - 20, to: bottom + 5, "faults"),
            text(max(left + 36, x(moment)), top - 24, "tick", "the faults end"),
        ]
    }

    // MARK: - Rows

    private struct Bar {
        var from: Int64
        var to: Int64
        var fill: String
        var name: String
    }

    private func band(_ label: String, y: Int, height: Int, _ bars: [Bar]) -> [String] {
        var lines: [String] = []
        if height >= 9 {
            lines.append(text(left - 8, y + height / 2 + 4, "label", label))
        }
        for bar in bars {
            let (from, to) = (x(bar.from), x(bar.to))
            let span = QuantityText.span(Milliseconds(bar.to - bar.from))
            lines.append(
                "<rect x=\"\(from)\" y=\"\(y)\" width=\"\(max(1, to - from))\" "
                    + "height=\"\(max(1, height - 1))\" fill=\"\(bar.fill)\">"
                    + "<title>\(Self.escaped(label)): \(bar.name), \(span)</title></rect>")
        }
        return lines
    }

    private func row(_ row: RunTimeline.Row, y: Int) -> [String] {
        let states = bars(row.states) { (Self.fill($0), $0.label) }
        // The service's own state: a dark line at the foot of the row while it is down.
        let down = bars(row.isDown) { ($0 ? Self.downFill : "", "down") }
            .filter { !$0.fill.isEmpty }
        let thin = max(1, rowHeight / 5)
        return band(row.host.rawValue, y: y, height: rowHeight, states)
            + band(row.host.rawValue, y: y + rowHeight - 1 - thin, height: thin + 1, down)
            .filter { !$0.hasPrefix("<text") }
    }

    private var rolloutBars: [Bar] {
        bars(timeline.rollout) { (Self.fill($0), $0.label) }
    }

    private func bars<What>(
        _ changes: [RunTimeline.Change<What>], _ look: (What) -> (String, String)
    ) -> [Bar] {
        changes.enumerated().map { number, change in
            let next = number + 1 < changes.count ? changes[number + 1].at : end
            let (fill, name) = look(change.what)
            return Bar(from: change.at, to: next, fill: fill, name: name)
        }
    }

    // MARK: - Colours

    private static let downFill = "#1f2328"
    private static let legendColumns = 6

    /// The states that occur, in the order of a host's life.
    private var shown: [HostState] {
        let present = Set(timeline.rows.flatMap { $0.states.map(\.what) })
        return HostState.allCases.filter(present.contains)
    }

    private var legend: [String] {
        let entries =
            shown.map { (Self.fill($0), $0.label) }
            + [(Self.downFill, "service is down")]
        return entries.enumerated().flatMap { number, entry in
            let x = left + (number % Self.legendColumns) * (plotWidth / Self.legendColumns)
            let y = bottom + 34 + (number / Self.legendColumns) * 20
            return [
                "<rect x=\"\(x)\" y=\"\(y)\" width=\"12\" height=\"12\" fill=\"\(entry.0)\"/>",
                text(x + 18, y + 10, "name", entry.1),
            ]
        }
    }

    private static func fill(_ state: HostState) -> String {
        switch state {
        case .pending: "#eaeef2"
        case .preparing: "#c2e0ff"
        case .validating: "#96c8ff"
        case .ready: "#6cb0f5"
        case .migrating: "#f5b83d"
        case .verifying: "#d8d34a"
        case .soaking: "#a6dba0"
        case .committed: "#3d9b5c"
        case .failed: "#d1242f"
        case .unreachable: "#6e7781"
        case .timedOut: "#a0528f"
        case .rollingBack: "#e8833a"
        case .rolledBack: "#8a6fd1"
        case .rollbackFailed: "#7a0c16"
        case .skipped: "#bcc3ca"
        case .late: "#93a8b8"
        }
    }

    private static func fill(_ state: RolloutState) -> String {
        switch state {
        case .planned, .awaitingApproval: "#c2e0ff"
        case .running: "#6cb0f5"
        case .paused: "#d8d34a"
        case .succeeded: "#3d9b5c"
        case .rollingBack: "#e8833a"
        case .rolledBack: "#8a6fd1"
        case .rollbackFailed: "#7a0c16"
        case .aborted: "#6e7781"
        }
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
            .replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
    }
}
