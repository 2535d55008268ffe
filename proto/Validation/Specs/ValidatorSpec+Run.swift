extension ValidatorSpec {
    /// A program's exit code and output.
    package static let run = ValidatorSpec(
        id: "run", category: .custom, summary: "A program: exit 0 passes.",
        parameters: [
            .optional("argv", .list(.text), "Program and arguments; no shell."),
            .optional("shell", .text, "A script for /bin/sh -eu -c."),
            .optional("env", .map(.text, of: "environment variables to text"), "Environment."),
            .optional("directory", .path, "Working directory; default the host's root."),
            .optional("contains", .text, "Text that its output must contain."),
        ],
        rules: [.exactlyOne(["argv", "shell"], what: "a program")])
}
