import FleetWire
import HostProcesses

/// The step `run`.
enum ProgramStep {
    /// The exit code that asks for another try later.
    static let retryLater: Int32 = 21

    static func run(
        _ action: RunStep, timeout: Milliseconds, context: TemplateContext,
        onStart: (@Sendable (Int32) -> Void)?
    ) async -> StepEnding {
        var run: ProcessRun
        do throws(TemplateError) {
            run = try context.processRun(of: action, timeout: timeout)
        } catch {
            return .failed("\(error.reason); correct the step in the plan")
        }
        run.onStart = onStart
        let result = await run.run()
        let name = action.shell == nil ? run.argv[0] : "the script"
        let (status, message): (StepStatus, String) =
            switch result.ending {
            case .exited(0): (.done, "\(name) exited 0")
            case .exited(retryLater): (.retryLater, "\(name) exited 21, which asks to retry later")
            case .exited(let code): (.failed, "\(name) exited \(code); read its output")
            case .signalled(let signal): (.failed, "\(name) was ended by signal \(signal)")
            case .timedOut:
                (
                    .timedOut,
                    "\(name) was ended after \(timeout.text); raise timeout if it needs more"
                )
            case .cancelled: (.failed, "\(name) was ended because the step was cancelled")
            case .outputTooLarge: (.failed, "\(name) wrote too much")
            case .notStarted(let why): (.failed, "\(name) could not be started: \(why)")
            }
        return StepEnding(status: status, message: message, output: result.text)
    }
}
