package import FleetWire
import Glibc
package import HostProcesses
import HostSnapshots

/// Starts, stops and asks services by systemd or by their commands.
package struct HostServices: ServiceControlling {
    private let context: TemplateContext
    private let timeout: Milliseconds
    /// Told the process group of each command.
    package var onStart: (@Sendable (Int32) -> Void)?

    /// Services of a host; commands are filled in from `context`. `timeout` bounds each command,
    /// and the wait until a service that was started runs or one that was stopped is gone.
    package init(context: TemplateContext, timeout: Milliseconds = .seconds(60)) {
        self.context = context
        self.timeout = timeout
    }

    /// See `ServiceControlling`. Exit 0 means that it runs, 3 that it does not; anything else
    /// throws.
    package func isActive(_ control: ServiceControl) throws -> Bool {
        let argv = try argv(control, "is-active", control.status)
        let result = try run(argv)
        switch result.ending {
        case .exited(0): return true
        case .exited(3): return false
        default: throw failure(argv, result, "0 (runs) or 3 (does not)")
        }
    }

    /// See `ServiceControlling`. Returns once the status says that it runs.
    package func start(_ control: ServiceControl) throws {
        if try isActive(control) { return }
        try succeed(try argv(control, "start", control.start))
        try wait(for: true, control)
    }

    /// See `ServiceControlling`. Returns once the status says that it does not run.
    package func stop(_ control: ServiceControl) throws {
        if try !isActive(control) { return }
        try succeed(try argv(control, "stop", control.stop))
        try wait(for: false, control)
    }

    private func argv(
        _ control: ServiceControl, _ verb: String, _ command: [String]?
    ) throws -> [String] {
        if let unit = control.unit {
            let name = try context.fill(unit)
            guard !name.isEmpty && !name.hasPrefix("-") else {
                throw StepFailure("\(name) is no name of a systemd unit")
            }
            return ["systemctl", verb, name]
        }
        guard let command, !command.isEmpty else {
            throw StepFailure(
                "a service has no command to \(verb); give unit, or start, stop, status")
        }
        return try command.map { try context.fill($0) }
    }

    private func run(_ argv: [String]) throws -> ProcessRun.Result {
        var run = try context.processRun(argv: argv, timeout: timeout)
        run.onStart = onStart
        return run.runBlocking()
    }

    private func succeed(_ argv: [String]) throws {
        let result = try run(argv)
        guard result.ending == .exited(0) else { throw failure(argv, result, "0") }
    }

    private func wait(for wanted: Bool, _ control: ServiceControl) throws {
        let deadline = ContinuousClock.now + timeout.duration
        while try isActive(control) != wanted {
            guard ContinuousClock.now < deadline else {
                var late = StepFailure(
                    "the service \(wanted ? "did not start" : "did not stop") within "
                        + "\(timeout.text); read its log")
                late.isLate = true
                throw late
            }
            usleep(50_000)
        }
    }

    private func failure(
        _ argv: [String], _ result: ProcessRun.Result, _ wanted: String
    ) -> StepFailure {
        let how =
            switch result.ending {
            case .exited(let code): "exited \(code), \(wanted) wanted"
            case .signalled(let signal): "was ended by signal \(signal)"
            case .timedOut: "was ended after \(timeout.text)"
            case .cancelled: "was cancelled"
            case .notStarted(let why): "could not be started: \(why)"
            }
        var failure = StepFailure("\(argv.joined(separator: " ")) \(how); read its output")
        failure.output = result.text
        return failure
    }
}
