import FleetWire
import RolloutCore

/// Watches a rollout until it ends or somebody presses Ctrl-C: frames in place on a terminal, one
/// line an event elsewhere, one object a change in JSON.
struct RolloutWatch: Sendable {
    let client: APIClient
    let rollout: RolloutID
    /// Where progress goes.
    let progress: Console
    /// How the end is told on stdout; `json` from `watch` prints every change instead.
    let result: OutputFormat
    /// True if every change goes to stdout as one line of JSON.
    var changesAsLines = false
    /// True if events before the newest order of an operator are not told.
    var fromNewestOrder = false

    private enum Signal: Sendable {
        case update(RolloutFollower.Update)
        case history([HistoryEntry])
        case tick
        case interrupted
        case ended(RolloutView)
    }

    /// Returns what the process ends with.
    func run(outcome: (RolloutView) -> ExitStatus?) async throws -> ExitStatus {
        let (signals, give) = AsyncStream.makeStream(of: Signal.self)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { give.finish() }
                try await follow(give)
            }
            group.addTask {
                for await _ in Interruption.signals() { give.yield(.interrupted) }
            }
            if progress.isTerminal {
                group.addTask {
                    while true {
                        try await Task.sleep(for: .milliseconds(500))
                        give.yield(.tick)
                    }
                }
            }
            defer { group.cancelAll() }
            var screen = Screen(watch: self)
            defer { screen.leave() }
            for await signal in signals {
                if let end = try screen.handle(signal) {
                    return try finish(end, &screen, outcome)
                }
            }
            // The stream ends early only if following failed; that task's error says why.
            while try await group.next() != nil {}
            return .error
        }
    }

    private func follow(_ give: AsyncStream<Signal>.Continuation) async throws {
        var told: Int?
        let wantsHistory = !progress.isTerminal && !changesAsLines
        let last = try await RolloutFollower(client: client, rollout: rollout).run { update in
            if wantsHistory, case .view = update {
                let entries: [HistoryEntry] = try await client.get(
                    client.path(rollout, "history"), to: "read the history of \(rollout)")
                let first = told ?? (fromNewestOrder ? Self.newestOrder(entries) : 0)
                give.yield(.history(Array(entries.dropFirst(first))))
                told = max(first, entries.count)
            }
            give.yield(.update(update))
        }
        give.yield(.ended(last))
    }

    private static func newestOrder(_ entries: [HistoryEntry]) -> Int {
        entries.lastIndex { $0.actor.hasPrefix("operator:") } ?? 0
    }

    private func finish(
        _ end: Screen.End, _ screen: inout Screen, _ outcome: (RolloutView) -> ExitStatus?
    ) throws -> ExitStatus {
        screen.leave()
        switch end {
        case .interrupted:
            Console.error.lines([
                "stopped watching; the rollout goes on by itself",
                "  watch it:  belay rollout watch \(rollout)",
                "  stop it:   belay rollout pause \(rollout)   or   belay rollout abort \(rollout)",
            ])
            return .interrupted
        case .view(let view):
            switch result {
            case .json where changesAsLines: break
            case .json, .yaml: Console.output.write(try Document.text(of: view, as: result))
            case .table, .wide:
                let lines = RolloutText.outcome(view, style: Console.output.style)
                // Whoever saw the last frame has read its sentence.
                let isSeen = progress.isTerminal && Console.output.isTerminal
                Console.output.lines(isSeen ? Array(lines.dropFirst()) : lines)
            }
            return outcome(view) ?? .error
        }
    }

    /// What stands on the terminal, and what was told last.
    private struct Screen {
        enum End { case interrupted, view(RolloutView) }

        let watch: RolloutWatch
        var display: LiveDisplay
        var view: RolloutView?
        var away: Timestamp?

        init(watch: RolloutWatch) {
            self.watch = watch
            display = LiveDisplay(console: watch.progress)
        }

        mutating func handle(_ signal: Signal) throws -> End? {
            switch signal {
            case .interrupted: return .interrupted
            case .ended(let view): return .view(view)
            case .tick: break
            case .history(let entries):
                watch.progress.lines(
                    entries.map { HistoryText.line($0, style: watch.progress.style) })
            case .update(let update): try take(update)
            }
            draw()
            return nil
        }

        mutating func take(_ update: RolloutFollower.Update) throws {
            switch update {
            case .view(let view):
                self.view = view
                if watch.changesAsLines { Console.output.line(try Document.line(of: view)) }
            case .away(let since, let why):
                away = since
                if !watch.progress.isTerminal { Console.error.line("\(why); retrying") }
            case .back:
                away = nil
                if !watch.progress.isTerminal { Console.error.line("the coordinator is back") }
            }
        }

        mutating func draw() {
            guard let size = watch.progress.size, !watch.changesAsLines else { return }
            let notice = away.map {
                "coordinator unreachable since \(QuantityText.clock($0)), retrying; the agents go on "
                    + "with what they were told"
            }
            guard let view else {
                if let notice { display.draw([notice]) }
                return
            }
            display.draw(
                WatchFrame(
                    view: view, now: Clock.now, width: size.width - 1, height: size.height,
                    style: watch.progress.style, notice: notice
                ).lines())
        }

        mutating func leave() { display.end() }
    }
}
