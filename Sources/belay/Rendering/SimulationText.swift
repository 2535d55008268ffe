import FleetSimulation
import FleetWire
import RolloutCore

/// What many simulated runs came to, for people.
struct SimulationText {
    let summary: RunSummary
    /// The command that runs one of them again, but for the seed.
    let again: String
    let style: Style

    func lines() -> [String] {
        var lines = [QuantityText.count(summary.runs, "simulated run")]
        var table = TextTable(["OUTCOME", "RUNS", "SHARE", ""], right: ["RUNS", "SHARE"])
        for (state, count) in summary.outcomes.sorted(by: {
            ($1.value, $0.key) < ($0.value, $1.key)
        }) {
            let share = Double(count) * 100 / Double(max(1, summary.runs))
            let tenths = Int((share * 10).rounded())
            let bar = ProgressBar.text(
                done: count, total: summary.runs, columns: 40, style: style, role: role(state))
            table.rows.append([state, "\(count)", "\(tenths / 10).\(tenths % 10) %", bar])
        }
        lines += table.lines(style: style, indent: "  ")
        lines.append("  worst unavailability  \(hostsDown)")
        if let spread = summary.complete { lines.append("  time to complete      \(text(spread))") }
        if let spread = summary.restore { lines.append("  time to restore       \(text(spread))") }
        return lines + promises
    }

    private var hostsDown: String {
        let seed = summary.worstSeed.map { ", seed \($0)" } ?? ""
        let limit =
            summary.worstIsUnlimited
            ? "the limit of \(summary.worstUnavailableMax) was lifted by --fast"
            : "at most \(summary.worstUnavailableMax) allowed"
        return QuantityText.count(summary.worstUnavailable, "host")
            + " down at once, \(limit)\(seed)"
    }

    private func role(_ state: String) -> Style.Role {
        switch RolloutState(rawValue: state) {
        case .succeeded: .good
        case .rolledBack, .aborted: .caution
        case .rollbackFailed: .bad
        case .planned, .awaitingApproval, .running, .paused, .rollingBack, nil: .active
        }
    }

    private func text(_ spread: RunSummary.Spread) -> String {
        "median \(QuantityText.span(spread.median)), 95 % within \(QuantityText.span(spread.p95))"
    }

    private var promises: [String] {
        guard let first = summary.broken.first else {
            return [style.paint("every promise was kept", .good)]
        }
        var lines = [
            style.paint("\(QuantityText.count(summary.broken.count, "run")) broke a promise", .bad)
        ]
        for run in summary.broken.prefix(20) {
            for broken in run.promises.prefix(1) {
                lines.append("  seed \(run.seed): promise \(broken.promise): \(broken.text)")
            }
        }
        if summary.broken.count > 20 { lines.append("  … and \(summary.broken.count - 20) more") }
        return lines + ["  \(again) \(first.seed)"]
    }

    /// One run, line by line.
    static func lines(of result: RunResult, style: Style) -> [String] {
        var lines = result.trace
        if result.linesLeftOut > 0 {
            let count = QuantityText.count(result.linesLeftOut, "more line")
            lines.append(style.paint("… \(count) left out", .caution))
        }
        return lines + [ending(of: result, style: style)]
    }

    private static func ending(of result: RunResult, style: Style) -> String {
        guard let broken = result.broken.first else {
            return style.paint("\(result.state.rawValue): \(result.reason)", .strong)
        }
        return style.paint("promise \(broken.promise) was broken: \(broken.text)", .bad)
    }
}
