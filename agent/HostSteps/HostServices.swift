package import FleetWire
import Glibc
package import HostProcesses
package import HostSnapshots

/// Starts, stops and asks services by systemd or by their commands.
package struct HostServices: ServiceControlling {
    /// What a service does at the moment.
    private enum Activity {
        case runs, isStopped
        /// systemd starts or stops it, or waits to start it again.
        case changes
    }

    private let context: TemplateContext
    private let timeout: Milliseconds
    private let systemctl: String
    private var limit: WorkLimit?
    /// Told the process group of each command before the command begins.
    package var onStart: (@Sendable (Int32) -> Void)?

    /// Services of a host; commands are filled in from `context`. `timeout` bounds each command,
    /// and the wait until a service that was started runs or one that was stopped is gone.
    /// `systemctl` is the program that controls units.
    package init(
        context: TemplateContext, timeout: Milliseconds = .seconds(60),
        systemctl: String = "systemctl"
    ) {
        self.context = context
        self.timeout = timeout
        self.systemctl = systemctl
    }

    /// The same, held to a limit too.
    func within(_ limit: WorkLimit, onStart: (@Sendable (Int32) -> Void)?) -> HostServices {
        var services = self
        services.limit = limit
        services.onStart = onStart ?? services.onStart
        return services
    }

    /// See `ServiceControlling`. Of a status command exit 0 means that it runs, 3 that it does not,
    /// anything else throws. A unit that systemd is about to start counts as running.
    package func isActive(_ control: ServiceControl) throws -> Bool {
        try activity(control).activity != .isStopped
    }

    /// See `ServiceControlling`. Returns once the status says that it runs.
    package func start(_ control: ServiceControl) throws {
        if try activity(control).activity == .runs { return }
        try succeed(try argv(control, "start", control.start))
        try wait(for: .runs, control)
    }

    /// See `ServiceControlling`. Returns once the status says that it does not run.
    package func stop(_ control: ServiceControl) throws {
        if try activity(control).activity == .isStopped { return }
        try succeed(try argv(control, "stop", control.stop))
        try wait(for: .isStopped, control)
    }

    /// What the status says, in words, for evidence; never throws.
    package func describe(_ control: ServiceControl) -> String {
        do {
            let (activity, text) = try activity(control)
            let word =
                switch activity {
                case .runs: "runs"
                case .isStopped: "is stopped"
                case .changes: "is being started or stopped"
                }
            return text.isEmpty ? word : "\(word): \(text)"
        } catch let failure as StepFailure {
            return failure.output.isEmpty ? failure.reason : "\(failure.reason): \(failure.output)"
        } catch {
            return "\(error)"
        }
    }

    /// See `ServiceControlling`.
    package func unit(_ control: ServiceControl) throws -> String? {
        try control.unit.map { try context.fill($0) }
    }

    /// See `ServiceControlling`; systemctl(1), is-enabled.
    package func enablement(_ control: ServiceControl) throws -> UnitEnablement? {
        guard control.unit != nil else { return nil }
        let argv = try argv(control, "is-enabled", nil)
        let result = try run(argv)
        guard case .exited = result.ending else { throw failure(argv, result, "0 or 1") }
        let text = result.text
        // Before systemd 250 it says this in a sentence.
        if text.contains("No such file or directory") { return .missing }
        guard let word = text.split(whereSeparator: \.isWhitespace).last,
            word.allSatisfy({ $0.isLetter || $0 == "-" })
        else { throw failure(argv, result, "the unit's state") }
        return UnitEnablement(String(word))
    }

    /// See `ServiceControlling`.
    package func enable(_ control: ServiceControl, _ enablement: UnitEnablement) throws {
        switch enablement {
        case .enabled: try succeed(try argv(control, "enable", nil))
        case .disabled: try succeed(try argv(control, "disable", nil))
        case .masked: try succeed(try argv(control, "mask", nil))
        // The rest follows from unit files, which are restored as files.
        default: break
        }
    }

    /// See `ServiceControlling`; systemd.directives(7), NeedDaemonReload of org.freedesktop.systemd1.
    package func needsReload(_ control: ServiceControl) throws -> Bool {
        guard let unit = try unit(control) else { return false }
        let argv = [systemctl, "show", "--property=NeedDaemonReload", "--value", unit]
        let result = try run(argv)
        guard result.ending == .exited(0) else { throw failure(argv, result, "0") }
        return result.text.split(whereSeparator: \.isWhitespace).last == "yes"
    }

    /// See `ServiceControlling`.
    package func reload() throws { try succeed([systemctl, "daemon-reload"]) }

    private func activity(
        _ control: ServiceControl
    ) throws -> (activity: Activity, text: String) {
        let argv = try argv(control, "is-active", control.status)
        let result = try run(argv)
        if control.unit != nil, let found = Self.unitActivity(result) {
            return (found, result.text)
        }
        switch result.ending {
        case .exited(0): return (.runs, result.text)
        case .exited(3): return (.isStopped, result.text)
        default: throw failure(argv, result, "0 (runs) or 3 (does not)")
        }
    }

    /// systemctl(1), is-active: the state as a word; the exit code is 0 for active ones, 3 for all
    /// others, and from systemd 254 on 4 for a unit that does not exist.
    private static func unitActivity(_ result: ProcessRun.Result) -> Activity? {
        guard case .exited(let code) = result.ending, code == 0 || code == 3 else { return nil }
        let word = result.text.split(whereSeparator: \.isWhitespace).last.map(String.init)
        switch word {
        case "active", "reloading", "refreshing": return .runs
        case "inactive", "failed", "unknown": return .isStopped
        case "activating", "deactivating", "maintenance": return .changes
        default: return nil
        }
    }

    private func argv(
        _ control: ServiceControl, _ verb: String, _ command: [String]?
    ) throws -> [String] {
        if let unit = control.unit {
            let name = try context.fill(unit)
            guard !name.isEmpty && !name.hasPrefix("-") else {
                throw StepFailure("\(name) is no name of a systemd unit")
            }
            return [systemctl, verb, name]
        }
        guard let command, !command.isEmpty else {
            throw StepFailure(
                "a service has no command to \(verb); give unit, or start, stop, status")
        }
        return try command.map { try context.fill($0) }
    }

    private var commandTimeout: Milliseconds { min(timeout, limit?.left ?? timeout) }

    private func run(_ argv: [String]) throws -> ProcessRun.Result {
        var run = try context.processRun(argv: argv, timeout: commandTimeout)
        run.onStart = onStart
        return run.runBlocking(limit?.cancellation)
    }

    private func succeed(_ argv: [String]) throws {
        let result = try run(argv)
        guard result.ending == .exited(0) else { throw failure(argv, result, "0") }
    }

    private func wait(for wanted: Activity, _ control: ServiceControl) throws {
        let deadline = ContinuousClock.now + timeout.duration
        while try activity(control).activity != wanted {
            guard ContinuousClock.now < deadline, limit?.isOver != true else {
                let isCancelled = limit?.cancellation.isCancelled == true
                var late = StepFailure(
                    "the service \(wanted == .runs ? "did not start" : "did not stop") "
                        + (isCancelled ? "before the step was cancelled" : "in time; read its log")
                )
                late.isLate = !isCancelled
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
            case .timedOut: "was ended after \(result.took.text)"
            case .cancelled: "was cancelled"
            case .outputTooLarge: "wrote too much"
            case .notStarted(let why): "could not be started: \(why)"
            }
        var failure = StepFailure("\(argv.joined(separator: " ")) \(how); read its output")
        failure.output = result.text
        failure.isLate = result.ending == .timedOut
        return failure
    }
}
