/// The keys of a plan's file (docs/reference/plan.md).
enum PlanShape {
    private typealias Field = ObjectShape.Field
    private typealias Choice = ObjectShape.Choice

    static let plan = ObjectShape(
        what: "a plan",
        fields: [
            Field("belay", .integer(1...1), required: true, "Version of the plan format: 1."),
            Field("name", .text, required: true, "Name of the plan; stands in rollout ids."),
            Field("description", .text, "For people."),
            Field("targets", .object(targets), required: true, "The hosts that the plan is for."),
            Field("variables", .names(.text, what: "variables to text"), "Text for templates."),
            Field(
                "artifacts", .names(.object(artifact), what: "artifact names to artifacts"),
                "Archives that steps unpack."),
            Field(
                "components", .names(.object(component), what: "component names to components"),
                "Parts of a host that are captured and restored, in this order."),
            Field("strategy", .object(strategy), "Waves, and how many hosts at once."),
            Field("budget", .object(budget), "How many hosts may go wrong."),
            Field("rollback", .object(rollback), "What happens when too many went wrong."),
            Field(
                "confirm_within", .span(atLeast: 1000),
                "A host that nobody confirms for this long takes itself back; default 2m."),
            Field(
                "coordinator_lost", .word(["hold", "commit-if-valid", "rollback"]),
                "What an unconfirmed host does while the coordinator is away; default hold."),
            Field("approval", .boolean, "True if somebody must approve before the first host."),
            Field("deadlines", .object(deadlines), "How long things may take."),
            Field(
                "checklist", .list(.object(checklistItem)),
                "What has to be done before any host is changed."),
            Field("stages", .object(stages), required: true, "The work, by stage."),
        ])

    private static let targets = ObjectShape(
        what: "targets",
        fields: [
            Field("selector", .text, "Label selector, as Kubernetes writes it."),
            Field("hosts", .list(.text), "Hosts by name."),
        ])

    private static let artifact = ObjectShape(
        what: "an artifact",
        fields: [
            Field("file", .text, "A local file, relative to the plan; its digest is computed."),
            Field("digest", .digest, "SHA-256 of an artifact that the coordinator has already."),
            Field("size", .size, "Its size; needed with `digest`."),
        ], choices: [Choice(keys: ["file", "digest"], isRequired: true, what: "a content")])

    private static let component = ObjectShape(
        what: "a component",
        fields: [
            Field(
                "files",
                .object(
                    ObjectShape(
                        what: "the driver `files`",
                        fields: [
                            Field("paths", .list(.text), required: true, "Trees and files."),
                            Field("exclude", .list(.text), "Paths below them to leave out."),
                            Field("data", .boolean, "True: belongs to the scope `data`."),
                            Field(
                                "cross_mounts", .boolean,
                                "True: what is mounted within the paths belongs to it."),
                        ])), "Trees and files."),
            Field(
                "config",
                .object(
                    ObjectShape(
                        what: "the driver `config`",
                        fields: [
                            Field("paths", .list(.text), required: true, "Configuration files."),
                            Field(
                                "strict", .boolean,
                                "True: open permissions and secrets in clear refuse the capture."),
                        ])), "Configuration files."),
            Field("flags", .object(onePath("the driver `flags`")), "A flagd definition file."),
            Field("sqlite", .object(onePath("the driver `sqlite`")), "A SQLite database."),
            Field("service", .object(service), "A service."),
            Field("package", .object(package), "A Debian package."),
            Field("postgres", .object(postgres), "A PostgreSQL database."),
            Field("btrfs", .object(btrfs), "A btrfs subvolume."),
            Field("command", .object(command), "What the operator's programs capture."),
            Field(
                "restart", .boolean,
                "True if restoring it alone must stop and start the plan's services around it."),
            Field(
                "compatible_with", .list(.text),
                "Components that work while this one is back at its old state alone."),
            Field(
                "allow_empty", .boolean,
                "True if it may be captured with nothing in it although it held something before."),
        ],
        choices: [
            Choice(
                keys: [
                    "files", "config", "flags", "sqlite", "service", "package", "postgres",
                    "btrfs", "command",
                ], isRequired: true, what: "a driver")
        ])

    private static let service = ObjectShape(
        what: "the driver `service`",
        fields: [
            Field("unit", .text, "A systemd unit."),
            Field("start", .list(.text), "Program and arguments; returns once it was started."),
            Field("stop", .list(.text), "Program and arguments; returns once it has stopped."),
            Field("status", .list(.text), "Program and arguments; exit 0 running, 3 stopped."),
        ])

    private static let budget = ObjectShape(
        what: "a budget",
        fields: [
            Field("fleet", .count(atLeast: 0), "In the whole rollout; default 0."),
            Field("wave", .count(atLeast: 0), "In each wave."),
            Field("domain", .count(atLeast: 0), "In each failure domain."),
        ])

    private static let deadlines = ObjectShape(
        what: "deadlines",
        fields: [
            Field("stage", .span(atLeast: 1000), "Preparing and validating one host; 10m."),
            Field("migration", .span(atLeast: 1000), "Migrating and verifying one host; 15m."),
            Field(
                "unreachable", .span(atLeast: 1000),
                "A host unreachable in the middle counts after this; 60s."),
        ])

    private static let stages = ObjectShape(
        what: "stages",
        fields: ["preparation", "validation", "migration", "verification", "finalization"].map {
            Field(
                $0,
                .object(
                    ObjectShape(
                        what: "a stage",
                        fields: [
                            Field("steps", .list(.object(step)), "One after the other."),
                            Field("checks", .list(.object(check)), "Together, after the steps."),
                        ])), "The stage \($0).")
        })

    static func onePath(_ what: String) -> ObjectShape {
        ObjectShape(
            what: what,
            fields: [Field("path", .text, required: true, "An absolute path on the host.")])
    }
}
