import FleetWire
import Glibc
import HostProcesses

/// Runs the programs that drivers need: each in its own process group, with a timeout, its output
/// capped and redacted before anybody sees it. Its group is ended when the capture is stopped.
struct DriverPrograms {
    /// What is attempted on what, for errors.
    let attempt: String
    let subject: String
    let root: String
    let timeout: Milliseconds
    /// Added to the environment; never printed.
    var environment: [String: String] = [:]
    /// Where they run; the root if nil.
    var directory: String?

    /// Who may stop it.
    var stop = StopHook()

    /// Bytes of output that are kept.
    private static let outputBytesMax = 1 << 20

    /// Runs `argv` to its end, whatever it exits with. Throws if it was not started, timed out or
    /// wrote more than `bytesMax`, or if it was stopped.
    func run(
        _ argv: [String], input: Descriptor? = nil, output: Descriptor? = nil,
        bytesMax: Int = .max
    ) throws -> (code: Int32, output: ProcessRun.Result) {
        var environment = [
            "PATH": ProcessRun.path, "HOME": "/root", "LANG": "C.UTF-8", "BELAY_ROOT": root,
        ]
        environment.merge(self.environment) { $1 }
        var run = ProcessRun(
            argv: argv, environment: environment, directory: directory ?? root,
            timeout: timeout)
        run.outputBytesMax = Self.outputBytesMax
        run.standardInput = input?.raw
        run.standardOutput = output?.raw
        run.standardOutputBytesMax = bytesMax
        let result = withExtendedLifetime((input, output)) {
            run.runBlocking(until: stop.isStopped)
        }
        let name = argv.first ?? ""
        switch result.ending {
        case .exited(let code): return (code, result)
        case .signalled(let signal):
            throw failure("\(name) was ended by signal \(signal)", result)
        case .timedOut:
            throw failure("\(name) was ended after \(timeout.text)", result, "raise its timeout")
        case .cancelled: throw StopHook.error
        case .outputTooLarge:
            throw failure(
                "\(name) wrote more than \(bytesMax) bytes", result, "raise its limit")
        case .notStarted(let why): throw failure("\(name) did not start: \(why)", result)
        }
    }

    /// Runs `argv`, which must exit 0; gives its output as text.
    @discardableResult func succeed(
        _ argv: [String], input: Descriptor? = nil, output: Descriptor? = nil,
        bytesMax: Int = .max, remedy: String? = nil
    ) throws -> String {
        let (code, result) = try run(argv, input: input, output: output, bytesMax: bytesMax)
        guard code == 0 else {
            throw failure("\(argv.first ?? "") exited \(code)", result, remedy)
        }
        return String(decoding: result.output, as: UTF8.self)
    }

    /// An error with the last lines of what the program said.
    func failure(
        _ cause: String, _ result: ProcessRun.Result? = nil, _ remedy: String? = nil
    ) -> PointError {
        let lines = (result?.text ?? "").split(whereSeparator: \.isNewline).suffix(4)
        let said = lines.isEmpty ? "" : " (" + lines.joined(separator: " | ").prefix(600) + ")"
        return PointError(
            attempt, subject, cause + said, remedy ?? "run it by hand on the host and see why")
    }
}
