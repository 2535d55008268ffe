/// How hosts go, what holds them up, and how they come back.
extension PlanShape {
    private typealias Field = ObjectShape.Field
    private typealias Choice = ObjectShape.Choice

    static let gateKinds = ["checks", "metric", "webhook", "prometheus", "approval", "manual"]
    static let limits = ["below", "at_most", "above", "at_least", "equal"]

    static let strategy = ObjectShape(
        what: "a strategy",
        fields: [
            Field("domain", .text, "The label that names a host's failure domain."),
            Field("max_parallel", .count(atLeast: 1), "Hosts in migration at once; default 1."),
            Field(
                "max_unavailable", .count(atLeast: 1),
                "Hosts unavailable at once; default max_parallel."),
            Field(
                "max_unavailable_per_domain", .count(atLeast: 1),
                "Hosts unavailable at once in one domain."),
            Field(
                "progress_deadline", .span(atLeast: 1000),
                "No host confirmed for so long while some are to go: as if the budget were spent."),
            Field(
                "healthy_deadline", .span(atLeast: 1000),
                "From the end of a host's migration steps to its confirmation."),
            Field(
                "rehearse", .boolean,
                "True: the first host goes forward, back, is compared, and forward again."),
            Field(
                "late", .word(["wait", "skip", "fail"]),
                "Hosts that are offline at the start; default wait."),
            Field(
                "converge", .boolean,
                "True: a skipped late host goes alone when it returns; needs `late: skip`."),
            Field(
                "mass_loss", .percentage,
                "More of the connected hosts lost at once than this freeze the rollout; 30%."),
            Field("windows", .object(windows), "When new hosts may be touched; default always."),
            Field("waves", .list(.object(wave)), "The waves, the canary first."),
        ])

    private static let windows = ObjectShape(
        what: "a calendar",
        fields: [
            Field("zone", .text, required: true, "A time zone, such as Europe/Berlin."),
            Field("open", .list(.object(window)), "Open while any of them is; default always."),
            Field("freeze", .list(.object(freeze)), "Closed while any of them is."),
        ])

    private static let window = ObjectShape(
        what: "a window",
        fields: [
            Field("days", .list(.days), "The days on which it opens; default every day."),
            Field("from", .timeOfDay, required: true, "When it opens."),
            Field(
                "to", .timeOfDay, required: true,
                "When it closes; earlier than `from` means on the next day."),
        ])

    private static let freeze = ObjectShape(
        what: "a freeze",
        fields: [
            Field("name", .text, required: true, "What `why` calls it."),
            Field("from", .wallTime, required: true, "Its begin."),
            Field("to", .wallTime, required: true, "Its end, not part of it."),
        ])

    private static let wave = ObjectShape(
        what: "a wave",
        fields: [
            Field("name", .text, required: true, "Unique in the plan."),
            Field("count", .count(atLeast: 1), "How many of the targets."),
            Field("percent", .integer(1...100), "The same in percent of the targets."),
            Field("selector", .text, "Takes only targets that match."),
            Field("hosts", .list(.text), "Takes only these."),
            Field(
                "cover", .list(.text),
                "Facts and labels; hosts are chosen so that their values are there."),
            Field("grow", .object(grow), "Few hosts at once first, then more."),
            Field("soak", .span(atLeast: 0), "How long it is watched; default 0s."),
            Field("gates", .list(.object(gate)), "What must hold before the next wave."),
        ], choices: [Choice(keys: ["count", "percent"], isRequired: false, what: "a size")])

    private static let grow = ObjectShape(
        what: "growth",
        fields: [
            Field("from", .integer(1...Count.numberMax), "Hosts at once at first; default 1."),
            Field("factor", .integer(2...100), "Times as many after each success; default 2."),
        ])

    private static let gate = ObjectShape(
        what: "a gate",
        fields: [
            Field("name", .text, required: true, "Unique in the wave."),
            Field("checks", .list(.object(check)), "Run on each host of the wave."),
            Field("metric", .object(metric), "A metric of each host of the wave."),
            Field("webhook", .object(webhook), "An answer of a service of yours."),
            Field("prometheus", .object(prometheus), "A query to a Prometheus server."),
            Field("approval", .object(approval), "One or two persons."),
            Field("manual", .boolean, "True: one person opens it, at any time."),
            Field(
                "on_no_data", .word(["inconclusive", "fail"]),
                "What an answer without data is; default inconclusive."),
            Field("every", .span(atLeast: 100), "An inconclusive gate asks again; default 5s."),
            Field(
                "inconclusive_for", .span(atLeast: 0),
                "An inconclusive gate fails after this; default 1m."),
        ],
        choices: [
            Choice(
                keys: gateKinds, isRequired: true, what: "something to rest on",
                advice: "; write a gate for each")
        ])

    private static let limitFields = [
        Field("below", .number, "Passes while the value is less."),
        Field("at_most", .number, "Passes while the value is not more."),
        Field("above", .number, "Passes while the value is more."),
        Field("at_least", .number, "Passes while the value is not less."),
        Field("equal", .number, "Passes while the value is the same."),
    ]

    private static let limit = Choice(keys: limits, isRequired: true, what: "a limit")

    private static let metric = ObjectShape(
        what: "the gate `metric`",
        fields: [
            Field("name", .text, required: true, "As the agents report it."),
            Field(
                "aggregate", .word(["mean", "min", "max", "last", "p50", "p95"]),
                "How a host's samples become one number; default mean."),
            Field("window", .span(atLeast: 1000), "Older samples do not count; default 5m."),
            Field("samples", .integer(1...100_000), "Fewer of any host are no data; default 1."),
        ] + limitFields, choices: [limit])

    private static let webhook = ObjectShape(
        what: "the gate `webhook`",
        fields: [
            Field("url", .text, required: true, "http or https."),
            Field(
                "headers", .names(.text, what: "headers to text"),
                "Extra headers; `file:/path` is read on the coordinator."),
            Field("timeout", .span(atLeast: 100), "No answer in this is no data; default 10s."),
        ])

    private static let prometheus = ObjectShape(
        what: "the gate `prometheus`",
        fields: [
            Field("url", .text, required: true, "Base URL of the server."),
            Field(
                "query", .text, required: true,
                "PromQL; `{{ wave.hosts }}` is the wave's hosts as a regular expression."),
            Field("samples", .integer(1...100_000), "Fewer in the answer are no data; default 1."),
            Field(
                "headers", .names(.text, what: "headers to text"),
                "Extra headers; `file:/path` is read on the coordinator."),
            Field("timeout", .span(atLeast: 100), "No answer in this is no data; default 10s."),
        ] + limitFields, choices: [limit])

    private static let approval = ObjectShape(
        what: "an approval",
        fields: [
            Field("persons", .integer(1...2), "Different persons; default 1."),
            Field("expires", .span(atLeast: 1000), "An older approval is void; default never."),
        ])

    static let rollback = ObjectShape(
        what: "a rollback policy",
        fields: [
            Field(
                "on_exhausted", .word(["rollback", "pause", "abort"]),
                "When the budget is spent or a gate fails; default rollback."),
            Field(
                "quarantine_for", .span(atLeast: 1000),
                "How long the digests of a plan that was rolled back are refused; default for good."
            ),
            Field(
                "point_of_no_return", .object(approval),
                "Who lets the first host pass a step that is irreversible."),
        ])
}
