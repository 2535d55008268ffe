extension ValidatorParameter {
    /// Names the processes that a validator looks at.
    static let processTarget: [ValidatorParameter] = [
        .optional(
            "program", .text,
            "Name of the program: the last part of its first argument, or the kernel's name."),
        .optional("pid_file", .path, "The file that holds the number of the process."),
        .optional("unit", .text, "The unit of systemd whose main process it is."),
    ]

    /// Their names, for rules.
    static let processTargetNames = processTarget.map(\.name)
}
