package import FleetWire
package import RolloutCore

/// All that is told of one rollout, derived from its journal.
package struct RolloutReport: Codable, Sendable {
    /// When it was written.
    package var writtenAt: Timestamp
    /// Where the rollout stands.
    package var rollout: RolloutView
    /// Its hosts.
    package var hosts: [Host]
    /// Its history.
    package var history: [HistoryEntry]

    /// One host's part.
    package struct Host: Codable, Sendable {
        /// Where it stands.
        package var view: RolloutView.HostView
        /// Every run of every step, in order.
        package var steps: [Step]
        /// Every result of every check, in order.
        package var checks: [CheckResult]
        /// What was kept before an undo, text by topic.
        package var evidence: [String: String]
    }

    /// One run of a step.
    package struct Step: Codable, Sendable {
        /// The stage.
        package var stage: Stage?
        /// The phase.
        package var phase: String?
        /// The step's name.
        package var name: String
        /// The run, from 1.
        package var attempt: Int
        /// When it began; nil if only its end was told.
        package var start: Timestamp?
        /// When it ended; nil while it runs.
        package var end: Timestamp?
        /// How it ended; nil while it runs.
        package var status: StepStatus?
        /// What was said of it.
        package var message: String
        /// Its output.
        package var output: String
    }

    init(_ view: RolloutView, history: [HistoryEntry], now: Timestamp) {
        writtenAt = now
        rollout = view
        self.history = history
        let byHost = Dictionary(grouping: history.filter { $0.host != nil }) { $0.host }
        hosts = view.hosts.map { host in
            let lines = byHost[host.id] ?? []
            return Host(
                view: host, steps: Self.steps(lines), checks: lines.flatMap { $0.checks ?? [] },
                evidence: lines.reduce(into: [:]) { all, line in
                    all.merge(line.evidence ?? [:]) { _, newer in newer }
                })
        }
    }

    private static func steps(_ lines: [HistoryEntry]) -> [Step] {
        var steps: [Step] = []
        for line in lines {
            guard let report = line.step else { continue }
            let running = steps.lastIndex {
                $0.end == nil && $0.stage == line.stage && $0.name == report.name
                    && $0.attempt == report.attempt
            }
            guard let outcome = report.outcome else {
                steps.append(
                    Step(
                        stage: line.stage, phase: report.phase, name: report.name,
                        attempt: report.attempt, start: line.at, message: "", output: ""))
                continue
            }
            var step = Step(
                stage: line.stage, phase: report.phase, name: report.name,
                attempt: report.attempt, start: running.flatMap { steps[$0].start },
                message: outcome.message, output: outcome.output)
            step.end = line.at
            step.status = outcome.status
            if let running { steps[running] = step } else { steps.append(step) }
        }
        return steps
    }
}

extension Coordinator {
    /// The report on a rollout. Throws `APIFailure` for an unknown one.
    func report(on id: RolloutID) async throws -> RolloutReport {
        let history = try await history(of: id)
        return RolloutReport(try await view(of: id), history: history, now: clock())
    }
}

/// The words that both forms of the report share.
enum ReportText {
    static func time(_ time: Timestamp?) -> String { time.map { UTCTime($0).text } ?? "–" }

    /// The beginning of a program's output, with what is no text made visible.
    static func excerpt(_ text: String, characters: Int = 400) -> String {
        var result = String.UnicodeScalarView()
        result.append(contentsOf: text.unicodeScalars.prefix(characters))
        return PlainText.visible(String(result))
            + (text.unicodeScalars.count > characters ? " …" : "")
    }

    static func gates(_ wave: RolloutView.WaveView) -> String {
        if wave.gates.isEmpty { return "–" }
        return wave.gates.map {
            "\($0.name): \($0.verdict?.rawValue ?? "not asked")"
                + ($0.detail.isEmpty ? "" : " (\($0.detail))")
        }.joined(separator: "; ")
    }
}

extension ReportText {
    /// One table: its title and rows, the first of which names the columns.
    typealias Table = (title: String, rows: [[String]])

    static func overview(_ report: RolloutReport) -> [Table] {
        let view = report.rollout
        let hosts = view.hosts.map {
            [
                $0.id.rawValue, $0.wave, $0.domain, label($0.state.rawValue),
                "\($0.stepsDone) of \($0.stepsTotal)", $0.point?.rawValue ?? "–",
                $0.restoreTook?.text ?? "–", $0.failure ?? "–",
            ]
        }
        return (view.checklist.map { [checklist($0)] } ?? []) + [
            timeline(report),
            (
                "Hosts",
                [
                    [
                        "Host", "Wave", "Domain", "State", "Steps done", "Rollback point",
                        "Restore took", "Failure",
                    ]
                ] + hosts
            ),
        ]
    }

    static func details(_ host: RolloutReport.Host) -> [Table] {
        var tables: [Table] = []
        if !host.steps.isEmpty {
            let head = [
                "Stage", "Phase", "Step", "Try", "Began", "Took", "Status", "Message, output",
            ]
            tables.append(
                (
                    "Steps",
                    [head]
                        + host.steps.map {
                            [
                                $0.stage?.rawValue ?? "–", $0.phase ?? "–", $0.name,
                                String($0.attempt), time($0.start ?? $0.end), took($0),
                                label($0.status?.rawValue ?? "running"),
                                excerpt(
                                    [$0.message, $0.output].filter { !$0.isEmpty }
                                        .joined(separator: "\n")),
                            ]
                        }
                ))
        }
        if !host.checks.isEmpty {
            tables.append(
                (
                    "Checks",
                    [["Check", "Level", "Status", "Measured", "Remedy"]]
                        + host.checks.map {
                            [
                                $0.name, $0.level.rawValue, $0.status.rawValue, $0.measured,
                                $0.remedy ?? "–",
                            ]
                        }
                ))
        }
        if !host.evidence.isEmpty {
            tables.append(
                (
                    "Evidence",
                    [["Topic", "Kept before the undo"]]
                        + host.evidence.sorted { $0.key < $1.key }.map {
                            [$0.key, excerpt($0.value, characters: 4000)]
                        }
                ))
        }
        return tables
    }

    private static func took(_ step: RolloutReport.Step) -> String {
        guard let start = step.start, let end = step.end else { return "–" }
        return end.since(start).text
    }

    static func history(_ report: RolloutReport) -> Table {
        (
            "History",
            [["Time", "Who", "Level", "Host", "What"]]
                + report.history.map {
                    [
                        time($0.at), $0.actor, $0.level.rawValue, $0.host?.rawValue ?? "–", $0.text,
                    ]
                }
        )
    }
}
