import AgentRuntime
import ArgumentParser
import FleetTransport
import FleetWire
import Glibc
import Logging

/// The agent's command line.
@main struct BelayAgent: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "belay-agent",
        abstract: "Carry rollouts out on this host, and take them back.",
        discussion: "Flags are all there is to set, but for the thresholds of validators: "
            + "/etc/belay/belay-agent.json holds them.",
        version: AgentVersion.text,
        subcommands: [
            EnrolCommand.self, RunCommand.self, StatusCommand.self, ValidateCommand.self,
            BaselineCommand.self,
            PointCommand.self, RollbackCommand.self, GuardCommand.self,
        ])

    static func main() async {
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let error as AgentError {
            Output.complain(error.lines)
            Glibc.exit(error.exitCode)
        } catch {
            let code = exitCode(for: error)
            if code == .validationFailure {
                Output.complain(fullMessage(for: error))
                Glibc.exit(5)
            }
            if error is ExitCode || error is CleanExit || code == .success {
                exit(withError: error)
            }
            Output.complain("\(error)")
            Glibc.exit(1)
        }
    }
}

/// Where the agent's files are.
struct StateOptions: ParsableArguments {
    @Option(help: "The folder that stands for / on this host.") var root: String?
    @Option(help: "The agent's state; ROOT/var/lib/belay unless given.") var state: String?

    var directory: StateDirectory {
        StateDirectory(root: root.map(Self.absolute), state: state.map(Self.absolute))
    }

    private static func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        guard let here = getcwd(nil, 0) else { return path }
        defer { free(here) }
        return String(cString: here) + "/" + path
    }

    func logger() -> Logger {
        LoggingSystem.bootstrap { PlainLogHandler(label: $0) }
        return Logger(label: "belay-agent")
    }
}

/// What is printed where: data on stdout, complaints on stderr.
enum Output {
    static func complain(_ text: String) {
        let line = Array("belay-agent: \(text)\n".utf8)
        write(2, line, line.count)
    }

    static func json(_ value: some Encodable) throws {
        print(String(decoding: try WireJSON.encode(value), as: UTF8.self))
    }

    /// Ends with the exit code of a refusal.
    static func refuse(_ refusal: Refusal) -> AgentError {
        let codes: [String: Int32] = [
            "invalid": 3, "ambiguous": 3, "past_return": 3, "not_found": 13, "busy": 14,
            "wrong_state": 14, "exists": 14, "in_use": 14, "damaged": 6, "rollback_failed": 10,
            "half_restored": 10,
            "cancelled": 130,
        ]
        return AgentError(
            refusal.reason, remedy: refusal.remedy, exitCode: codes[refusal.code] ?? 1)
    }
}
