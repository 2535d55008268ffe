import FleetWire
import HostProcesses

/// The check `run`: a program's exit code and output.
enum ProgramCheck {
    static func run(
        _ spec: RunCheck, timeout: Milliseconds, context: TemplateContext
    ) async -> Finding {
        let run: ProcessRun
        let contains: String?
        do throws(TemplateError) {
            var made = try context.processRun(of: spec.run, timeout: timeout)
            made.outputBytesMax = 65536
            run = made
            contains = if let text = spec.contains { try context.fill(text) } else { nil }
        } catch {
            return .unknown(error.reason, "correct the check in the plan")
        }
        let result = await run.run()
        let said = lastLine(result.text)
        switch result.ending {
        case .exited(0):
            guard let contains else { return .pass("exit 0\(said)") }
            return String(decoding: result.output, as: UTF8.self).contains(contains)
                ? .pass("exit 0 and its output contains \"\(contains)\"")
                : .fail(
                    "exit 0, but its output does not contain \"\(contains)\"\(said)",
                    "run the program on the host and read its output")
        case .exited(let code):
            return .fail("exit \(code)\(said)", "run the program on the host")
        case .signalled(let signal):
            return .fail("ended by signal \(signal)\(said)", "run the program on the host")
        case .timedOut: return .late(timeout)
        case .cancelled: return .unknown("cancelled", "run the check again")
        case .outputTooLarge: return .fail("it wrote too much", "run the program on the host")
        case .notStarted(let why):
            return .unknown("not started: \(why)", "install the program or correct the check")
        }
    }

    private static func lastLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).last.map { ": \($0.prefix(200))" } ?? ""
    }
}
