import FleetWire
import ArgumentParser
import RolloutPlan

/// What is wrong with a command line: what, and how it is meant.
enum UsageFailure {
    /// A failure for the parser's `error`, in the form of all others.
    static func failure(for error: any Error, _ arguments: [String]) -> CommandFailure {
        let found = command(of: arguments)
        if let unknown = found.unknown {
            let near = NearestName.of(unknown, among: found.names)
            return CommandFailure(
                .usage, "there is no command `\(found.path) \(unknown)`",
                remedy: near.map { "did you mean `\(found.path) \($0)`? " + help(found.path) }
                    ?? help(found.path))
        }
        return CommandFailure(
            .usage, "\(found.path): \(sentence(Belay.message(for: error)))",
            remedy: help(found.path))
    }

    private static func help(_ path: String) -> String { "`\(path) --help` shows what there is" }

    /// The parser's sentences begin with a capital and end with a stop or not.
    private static func sentence(_ text: String) -> String {
        var text = text
        while text.hasSuffix(".") { text.removeLast() }
        guard let first = text.first, text.dropFirst().first?.isLowercase == true else {
            return text
        }
        return first.lowercased() + text.dropFirst()
    }

    /// Follows the arguments through the commands: as far as they name any, and the first word where
    /// a command must stand and none of that name does.
    private static func command(of arguments: [String]) -> (
        path: String, unknown: String?, names: [String]
    ) {
        var type: any ParsableCommand.Type = Belay.self
        var path = Belay._commandName
        for argument in arguments {
            let commands = type.configuration.subcommands
            guard !commands.isEmpty, !argument.hasPrefix("-") else { break }
            guard let next = commands.first(where: { $0._commandName == argument }) else {
                return argument == "help"
                    ? (path, nil, []) : (path, argument, commands.map { $0._commandName })
            }
            type = next
            path += " " + argument
        }
        return (path, nil, [])
    }
}
