import FleetWire
import HostProcesses
import HostValidators

/// The step `wait`.
struct WaitAction {
    /// The pause between two tries of the check.
    static let pause = Duration.milliseconds(500)

    let root: String
    let context: TemplateContext

    func run(_ action: WaitStep, until deadline: ContinuousClock.Instant) async -> StepEnding {
        guard action.span != nil || action.until != nil else {
            return .failed("a wait has neither span nor until; give one of them")
        }
        do {
            if let span = action.span {
                let end = ContinuousClock.now + span.duration
                try await Task.sleep(until: min(end, deadline), clock: .continuous)
                guard end <= deadline else {
                    return late("the span of \(span.text) is longer than the step's timeout")
                }
            }
            guard let check = action.until else {
                return StepEnding(
                    status: .done, message: "waited \((action.span ?? .zero).text)", output: "")
            }
            return try await wait(for: check, until: deadline)
        } catch {
            return .failed("the wait was cancelled")
        }
    }

    private func wait(
        for check: CheckSpec, until deadline: ContinuousClock.Instant
    ) async throws -> StepEnding {
        let checks = CheckRunner(root: root)
        while true {
            let (seconds, attoseconds) = (deadline - ContinuousClock.now).components
            let left = Milliseconds(seconds * 1000 + attoseconds / 1_000_000_000_000_000)
            var attempt = check
            attempt.timeout = max(Milliseconds(1), min(check.timeout, left))
            let result = await checks.run([attempt], context: context).first
            if let result, result.status == .pass || result.status == .warn {
                return StepEnding(
                    status: .done, message: "\(check.name) passed: \(result.measured)", output: "")
            }
            guard ContinuousClock.now + Self.pause < deadline else {
                return late(
                    "\(check.name) did not pass in time: \(result?.measured ?? "nothing measured")")
            }
            try await Task.sleep(for: Self.pause)
        }
    }

    private func late(_ message: String) -> StepEnding {
        StepEnding(status: .timedOut, message: message, output: "")
    }
}
