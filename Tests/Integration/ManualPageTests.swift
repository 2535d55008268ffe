import Foundation
import Testing

/// Manual pages are made of the binaries' own help, so no option lacks in them. `BELAY_REWRITE=1`
/// writes them anew.
@Suite("Manual pages")
struct ManualPageTests {
    @Test(
        "the manual page of each binary names every command and option of it",
        arguments: [
            ManualPage(
                binary: "belay", section: 1, see: ["belay-agent(8)", "belay-coordinator(8)"]),
            ManualPage(binary: "belay-agent", section: 8, see: ["belay(1)"]),
            ManualPage(binary: "belay-coordinator", section: 8, see: ["belay(1)"]),
        ])
    func page(page: ManualPage) async throws {
        let output = try await ChildProcess.run(page.binary, ["--experimental-dump-help"])
        try #require(output.status == 0, "\(output.summary)")
        let help = try JSONDecoder().decode(CommandHelp.Tool.self, from: Data(output.out.utf8))
        let text = page.text(help.command)
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../docs/man/\(page.binary).\(page.section)").standardized
        if ProcessInfo.processInfo.environment["BELAY_REWRITE"] == "1" {
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        let kept = try String(contentsOf: file, encoding: .utf8)
        #expect(text == kept, "differs from \(file.path); BELAY_REWRITE=1 writes it anew")
    }

    @Test("completion scripts are accepted by the shell that they are for")
    func completion() async throws {
        let output = try await ChildProcess.run("belay", ["completion", "bash"])
        try #require(output.status == 0, "\(output.summary)")
        let script = FileManager.default.temporaryDirectory
            .appendingPathComponent("belay-completion-\(UUID().uuidString).bash")
        defer { try? FileManager.default.removeItem(at: script) }
        try output.out.write(to: script, atomically: true, encoding: .utf8)
        let bash = Process()
        bash.executableURL = URL(fileURLWithPath: "/bin/bash")
        bash.arguments = ["-c", "source \"$0\" && complete -p belay", script.path]
        bash.standardOutput = FileHandle.nullDevice
        try bash.run()
        bash.waitUntilExit()
        #expect(bash.terminationStatus == 0)
    }
}

/// What a binary says of itself with `--experimental-dump-help`.
struct CommandHelp: Decodable {
    struct Tool: Decodable { var command: CommandHelp }

    struct Argument: Decodable {
        struct Name: Decodable {
            var kind: String
            var name: String
            var text: String { (kind == "long" ? "--" : "-") + name }
        }
        var abstract: String?
        var kind: String
        var names: [Name]?
        var valueName: String?
        var shouldDisplay: Bool
        var isOptional: Bool
        var isRepeating: Bool
        var defaultValue: String?
    }

    var commandName: String
    var abstract: String?
    var discussion: String?
    var shouldDisplay: Bool?
    var arguments: [Argument]?
    var subcommands: [CommandHelp]?
}

/// A page in man(7).
struct ManualPage: Sendable, CustomTestStringConvertible {
    var binary: String
    var section: Int
    var see: [String]

    var testDescription: String { "\(binary)(\(section))" }

    func text(_ help: CommandHelp) -> String {
        var lines = [
            ".TH \(binary.uppercased()) \(section) \"\" \"Belay\" \"Belay\"", ".SH NAME",
            "\(escaped(binary)) \\- \(escaped(withoutStop(help.abstract ?? "")))", ".SH SYNOPSIS",
            ".B \(escaped(binary))", ".I command", "[options]",
        ]
        if let discussion = help.discussion, !discussion.isEmpty {
            lines += [".SH DESCRIPTION", ".nf", escaped(discussion), ".fi"]
        }
        lines.append(".SH COMMANDS")
        for command in help.subcommands ?? [] { lines += section(command, path: binary) }
        lines += [".SH EXIT STATUS"]
        lines += [
            "0 done; 1 error; 2 hosts failed; 3 refused or invalid input; 4 hosts unreachable;",
            "5 usage; 6 gate or validation failed; 7 gate or validation inconclusive;",
            "9 rolled back; 10 rollback failed; 11 aborted; 12 not authorised; 13 not found;",
            "14 conflict; 124 timed out; 130 interrupted.",
        ]
        lines += [".SH SEE ALSO"] + [see.map(escaped).joined(separator: ", ")]
        return lines.joined(separator: "\n") + "\n"
    }

    private func section(_ command: CommandHelp, path: String) -> [String] {
        guard command.shouldDisplay != false, command.commandName != "help" else { return [] }
        let name = path + " " + command.commandName
        let shown = (command.arguments ?? []).filter {
            $0.shouldDisplay
                && !($0.names ?? []).contains { ["help", "version"].contains($0.name) }
        }
        var lines = [".SS \(escaped(name))", escaped(command.abstract ?? "")]
        if let discussion = command.discussion, !discussion.isEmpty {
            lines += [".PP", ".nf", escaped(discussion), ".fi"]
        }
        for argument in shown {
            let names = (argument.names ?? []).map { "\\fB\(escaped($0.text))\\fR" }
                .joined(separator: ", ")
            let value =
                argument.kind == "flag" ? "" : "\\fI\(escaped(argument.valueName ?? ""))\\fR"
            lines += [
                ".TP", [names, value].filter { !$0.isEmpty }.joined(separator: " "),
                escaped(argument.abstract ?? "")
                    + (argument.defaultValue.map { " Default: \(escaped($0))." } ?? ""),
            ]
        }
        return lines + (command.subcommands ?? []).flatMap { section($0, path: name) }
    }

    private func withoutStop(_ text: String) -> String {
        text.hasSuffix(".") ? String(text.dropLast()) : text
    }

    /// A line must begin with no dot or quote, and hyphens stay hyphens.
    private func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\e").replacing("-", with: "\\-")
            .split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.hasPrefix(".") || $0.hasPrefix("'") ? "\\&" + $0 : String($0) }
            .joined(separator: "\n")
    }
}
