import Validation

extension PlanShape {
    private typealias Field = ObjectShape.Field
    private typealias Choice = ObjectShape.Choice

    static let stepActions = ["artifact", "run", "service", "flags", "config", "sqlite", "wait"]

    static let step = ObjectShape(
        what: "a step",
        fields: [
            Field("name", .text, required: true, "Unique in its stage."),
            Field("phase", .text, "Progress and reports show it under this phase."),
            Field("timeout", .span(atLeast: 1), "TERM after this; default 60s."),
            Field("attempts", .integer(1...100), "How often it is tried; default 1."),
            Field("retry_delay", .span(atLeast: 0), "Between two tries; default 1s."),
            Field("irreversible", .boolean, "True if it cannot be taken back."),
            Field("network", .boolean, "True if it can cut the host's network."),
            Field("artifact", .object(artifactStep), "Unpacks an artifact and switches to it."),
            Field("run", .object(run), "Runs a program."),
            Field("service", .object(serviceStep), "Starts, stops or restarts a service."),
            Field("flags", .object(flagsStep), "Sets flags."),
            Field("config", .object(configStep), "Writes a configuration file."),
            Field("sqlite", .object(sqliteStep), "Migrates a SQLite database."),
            Field("wait", .object(wait), "Waits for a span, or for a check."),
        ], choices: [Choice(keys: stepActions, isRequired: true, what: "an action")])

    static let check = ObjectShape(
        what: "a check",
        fields: [
            Field("name", .text, required: true, "Unique in its stage or gate."),
            Field("phase", .text, "Progress and reports show it under this phase."),
            Field("level", .word(["critical", "warning", "info"]), "Default critical."),
            Field("timeout", .span(atLeast: 1), "Unknown after this; default 10s."),
            Field(
                "on_unknown", .word(["fail", "warn"]),
                "What it counts as if nothing can be told; default fail."),
        ] + ValidatorCatalog.all.map(ValidatorShape.field),
        choices: [
            Choice(
                keys: ValidatorCatalog.all.map(\.id), isRequired: true,
                what: "something to look at",
                listing: "the validators (docs/reference/validators.md)")
        ])

    private static let programFields = [
        Field("argv", .list(.text), "Program and arguments; no shell."),
        Field("shell", .text, "A script for /bin/sh -eu -c."),
        Field("env", .names(.text, what: "environment variables to text"), "Environment."),
        Field("directory", .text, "Working directory; default the host's root."),
    ]

    private static let programChoice = Choice(
        keys: ["argv", "shell"], isRequired: true, what: "a program")

    private static let run = ObjectShape(
        what: "the action `run`", fields: programFields, choices: [programChoice])

    private static let artifactStep = ObjectShape(
        what: "the action `artifact`",
        fields: [
            Field("artifact", .text, required: true, "An artifact of the plan."),
            Field("destination", .text, required: true, "The directory to unpack to."),
            Field("link", .text, "A symbolic link that is switched to it last."),
        ])

    private static let serviceStep = ObjectShape(
        what: "the action `service`",
        fields: [
            Field("component", .text, required: true, "A component with the driver `service`."),
            Field("verb", .word(["start", "stop", "restart"]), required: true, "What to do."),
        ])

    private static let flagsStep = ObjectShape(
        what: "the action `flags`",
        fields: [
            Field("path", .text, required: true, "The flagd file."),
            Field("set", .names(.text, what: "flags to variants"), "New default variants."),
            Field(
                "define", .names(.json, what: "flags to flagd definitions"),
                "Flags that are added if they are missing."),
        ])

    private static let configStep = ObjectShape(
        what: "the action `config`",
        fields: [
            Field("path", .text, required: true, "The file to write."),
            Field("template", .text, "The template's text."),
            Field("template_file", .text, "A file with the template, relative to the plan."),
            Field("mode", .text, "Mode of a new file, such as \"0640\"."),
        ],
        choices: [
            Choice(keys: ["template", "template_file"], isRequired: true, what: "a template")
        ])

    private static let sqliteStep = ObjectShape(
        what: "the action `sqlite`",
        fields: [
            Field("path", .text, required: true, "The database file."),
            Field(
                "migrations",
                .list(
                    .object(
                        ObjectShape(
                            what: "a migration",
                            fields: [
                                Field(
                                    "version", .integer(1...Int(Int32.max)), required: true,
                                    "user_version after it."),
                                Field("sql", .text, "The statements."),
                                Field("sql_file", .text, "A file with them, relative to the plan."),
                            ],
                            choices: [
                                Choice(
                                    keys: ["sql", "sql_file"], isRequired: true, what: "its SQL")
                            ]))), required: true, "In ascending order of versions."),
        ])

    private static let wait = ObjectShape(
        what: "the action `wait`",
        fields: [
            Field("span", .span(atLeast: 1), "The span to wait."),
            Field("until", .object(check), "The check that must pass within the timeout."),
        ],
        choices: [Choice(keys: ["span", "until"], isRequired: true, what: "what to wait for")])
}
