import ArgumentParser
import FleetWire
import Foundation
import OperatorAPI
import RolloutPlan

/// The operator's command.
struct Belay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "belay",
        abstract: "Staged rollouts over a fleet that catch the fall.",
        discussion: """
            BELAY_ADDR     https://HOST:PORT of the coordinator
            BELAY_TOKEN    the token to sign in with
            BELAY_CACERT   path of the coordinator's authority.pem
            """,
        version: "belay \(BelayVersion.current)",
        subcommands: [
            PlanCommand.self, ApplyCommand.self, RolloutCommand.self, RollbackCommand.self,
            ChecklistCommand.self, LintCommand.self, ValidateCommand.self, PointCommand.self,
            HostCommand.self,
            TokenCommand.self,
            EventsCommand.self, AuditCommand.self, QuarantineCommand.self, StatusCommand.self,
            SimulateCommand.self, CompletionCommand.self,
        ])
}

@main
enum Main {
    static func main() async {
        let status = await run(Array(CommandLine.arguments.dropFirst()))
        exit(status.rawValue)
    }

    /// Runs one command and says with what the process ends.
    static func run(_ arguments: [String]) async -> ExitStatus {
        var command: any ParsableCommand
        do {
            command = try Belay.parseAsRoot(arguments)
        } catch {
            return explain(parserError: error, arguments)
        }
        do {
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            return .done
        } catch {
            return explain(error, arguments)
        }
    }

    private static func explain(parserError error: any Error, _ arguments: [String]) -> ExitStatus {
        let message = Belay.fullMessage(for: error)
        if Belay.exitCode(for: error).isSuccess {
            Console.output.line(message)
            return .done
        }
        report(UsageFailure.failure(for: error, arguments), arguments)
        return .usage
    }

    private static func explain(_ error: any Error, _ arguments: [String]) -> ExitStatus {
        switch error {
        case let end as EndWith: return end.status
        case let failure as CommandFailure:
            report(failure, arguments)
            return failure.status
        case let problems as PlanProblems:
            report(problems, arguments)
            return .invalid
        case is CancellationError: return .interrupted
        case is CleanExit, is ValidationError, is ExitCode:
            return explain(parserError: error, arguments)
        default:
            let text = Belay.fullMessage(for: error)
            if Belay.exitCode(for: error).isSuccess {
                Console.output.line(text)
                return .done
            }
            report(CommandFailure(.error, String(describing: error)), arguments)
            return .error
        }
    }

    private static func report(_ failure: CommandFailure, _ arguments: [String]) {
        Console.error.lines(
            FailureText.lines(
                failure, json: FailureText.wantsJSON(arguments), style: Console.error.style))
    }

    private static func report(_ problems: PlanProblems, _ arguments: [String]) {
        if FailureText.wantsJSON(arguments), let line = try? Document.line(of: problems) {
            Console.error.line(line)
            return
        }
        Console.error.lines(FailureText.lines(problems.problems, style: Console.error.style))
        let errors = problems.problems.count { $0.severity == .error }
        Console.error.line("\(QuantityText.count(errors, "error")); nothing was changed")
    }
}
