import AgentRuntime
import ArgumentParser
import FleetWire
import Glibc
import Logging
import Synchronization
import UnixSignals

/// What all `point` commands share that ask the agent.
struct AskingOptions: ParsableArguments {
    @OptionGroup var options: StateOptions
    @Flag(help: "Say how far it is, in plain lines on stderr; on a terminal that is done anyway.")
    var progress = false

    /// The answer. Throws `AgentError` for a refusal. Ctrl-C and SIGTERM ask for an early end; a
    /// second one ends this process at once.
    func ask(
        _ request: PointRequest, line: @escaping @Sendable (ControlLine) -> Void = { _ in }
    ) async throws -> PointReply {
        var control = ControlRequest(.point)
        control.point = request
        let display = ProgressDisplay(isWanted: progress)
        let reply = try await Self.ask(control, options) { update in
            if let progress = update.progress { display.show(progress) } else { line(update) }
        }
        display.end()
        if let refusal = reply.refusal { throw Output.refuse(refusal) }
        guard let points = reply.points else {
            throw AgentError("the agent answered with nothing about points")
        }
        return points
    }

    private static func ask(
        _ request: ControlRequest, _ options: StateOptions,
        _ update: @escaping @Sendable (ControlLine) -> Void
    ) async throws -> ControlReply {
        let (stops, stop) = AsyncStream<Void>.makeStream()
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        return try await withThrowingTaskGroup(of: ControlReply?.self) { group in
            group.addTask {
                var hasAsked = false
                for await _ in signals {
                    if hasAsked { Glibc._exit(130) }
                    hasAsked = true
                    Output.complain("stopping at the next safe place; once more to leave at once")
                    stop.yield()
                    guard request.point?.action != .restore else { continue }
                    // A capture that is left behind is no point, so nobody has to wait for it; but
                    // a program that a driver runs is killed only 5 s after it was asked to end.
                    try? await Task.sleep(for: .seconds(7))
                    if !Task.isCancelled { Glibc._exit(130) }
                }
                return nil
            }
            group.addTask {
                try await ControlClient.ask(
                    request, options.directory, logger: options.logger(), stops: stops,
                    update: update)
            }
            defer { group.cancelAll() }
            while let ended = try await group.next() {
                if let ended { return ended }
            }
            throw AgentError("the request ended without an answer")
        }
    }
}

/// Shows progress on stderr: one line that is drawn again on a terminal, plain lines now and then
/// where they are wanted.
final class ProgressDisplay: Sendable {
    private struct State {
        var phase = ""
        var began = ContinuousClock.now
        var next = ContinuousClock.now
        var drawn = 0
    }
    private let isWanted: Bool
    private let state = Mutex(State())

    init(isWanted: Bool) { self.isWanted = isWanted }

    func show(_ progress: ControlProgress) {
        let isTerminal = Stream.error.isTerminal
        guard isTerminal || isWanted else { return }
        state.withLock { state in
            let now = ContinuousClock.now
            let phase = progress.phase + (progress.component?.rawValue ?? "")
            let isNew = phase != state.phase
            if isNew { (state.phase, state.began) = (phase, now) }
            guard isNew || now >= state.next else { return }
            state.next = now + (isTerminal ? .milliseconds(100) : .seconds(5))
            let (seconds, rest) = (now - state.began).components
            let elapsed = Milliseconds(seconds * 1000 + rest / 1_000_000_000_000_000)
            let text = ProgressText.line(progress, elapsed: elapsed)
            Stream.error.write(isTerminal ? "\r\(text)\u{1B}[K" : text + "\n")
            state.drawn = isTerminal ? 1 : 0
        }
    }

    func end() {
        state.withLock { state in
            if state.drawn > 0 { Stream.error.write("\r\u{1B}[K") }
            state.drawn = 0
        }
    }
}
