import ArgumentParser
import FoundationEssentials
import RegistryCore

/// `registry`: a small dataset registry, the service that Belay's demo rolls out.
///
/// One binary holds the code of releases 1.x, 2.0.x and 2.1.x; the file `RELEASE` beside it says
/// which one it is.
@main
struct RegistryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "registry",
        abstract: "A dataset registry: register, list and read datasets, compute features.",
        subcommands: [
            ServeCommand.self, CheckCommand.self, BackupCommand.self, InitCommand.self,
            RegisterCommand.self, FeaturesCommand.self, MigrateDatasetsCommand.self,
            ReleaseCommand.self,
        ])

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let problem as RegistryProblem {
            report("\(problem)")
            Self.exit(withError: ExitCode(problem.kind == .invalid ? 3 : 1))
        } catch let code as ExitCode {
            Self.exit(withError: code)
        } catch {
            Self.exit(withError: error)
        }
    }

    private static func report(_ text: String) {
        try? FileHandleText.write("registry: \(text)\n", toDescriptor: 2)
    }
}
