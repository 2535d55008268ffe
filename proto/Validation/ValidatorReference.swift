import FleetWire

/// The page docs/reference/validators.md: every validator with its parameters, from the catalog.
package enum ValidatorReference {
    /// The page's text.
    package static let markdown: String = {
        var lines = [
            "# Validators", "",
            "A check of a plan names one of these; "
                + "[plan.md](plan.md#checks) says what else a check has.",
            "This page is written from the code: `BELAY_REWRITE=1 swift test --filter "
                + "ValidationTests` writes it anew.", "",
            "A validator gives one of five results.", "",
            "| result | what it means |", "|---|---|",
            "| `pass` | it was looked at, and is as wanted |",
            "| `warn` | it is near a threshold; nothing is blocked |",
            "| `fail` | it is not as wanted; a critical check blocks |",
            "| `unknown` | it could not be looked at; it blocks as a failure does, unless the check "
                + "says `on_unknown: warn` |",
            "| `not_applicable` | there is nothing here that it speaks of; neither a pass nor a "
                + "failure, and checks that are all not applicable are no pass |", "",
            "A parameter marked *fails* or *warns* is a threshold.",
            "The host's `/etc/belay/belay-agent.json` may set thresholds, for example "
                + "`{\"validators\": {\"tcp\": {\"latency_warn\": \"2s\"}}}`.",
            "It replaces defaults; what the plan says wins over it.",
            "Each result names the origin of its thresholds: `default`, `configuration` or `plan`.",
        ]
        for category in ValidatorSpec.Category.allCases {
            let specs = ValidatorCatalog.all.filter { $0.category == category }
            guard !specs.isEmpty else { continue }
            let name = category.rawValue
            lines += ["", "## " + name.prefix(1).uppercased() + name.dropFirst()]
            for spec in specs { lines += section(spec) }
        }
        return lines.joined(separator: "\n") + "\n"
    }()

    private static func section(_ spec: ValidatorSpec) -> [String] {
        var facts = ["level \(spec.level.rawValue)", "one result a \(spec.scope.rawValue)"]
        if spec.stages != Stage.allCases {
            facts.append("stages " + spec.stages.map(\.rawValue).joined(separator: ", "))
        }
        facts.append(
            spec.isReadOnly ? "changes nothing" : "writes into a scratch place and cleans up")
        var lines = ["", "### `\(spec.id)`", "", spec.summary]
        if !spec.notes.isEmpty { lines += sentences(spec.notes) }
        lines += ["", facts.joined(separator: "; ").capitalizedFirst + "."]
        if !spec.parameters.isEmpty {
            lines += ["", "| parameter | value | default | |", "|---|---|---|---|"]
            lines += rows(spec.parameters, below: "")
        }
        if !spec.rules.isEmpty { lines += [""] + spec.rules.map(sentence) }
        return lines
    }

    private static func rows(_ parameters: [ValidatorParameter], below: String) -> [String] {
        parameters.flatMap { parameter -> [String] in
            let standard =
                parameter.isRequired
                ? "required" : parameter.standard.map { "`\(parameter.type.shown($0))`" } ?? ""
            let threshold =
                switch parameter.threshold {
                case .fail: " *fails*"
                case .warn: " *warns*"
                case nil: ""
                }
            let name = below + parameter.name
            let row =
                "| `\(name)` | \(cell(parameter.type.name)) | \(cell(standard)) "
                + "| \(cell(parameter.note))\(threshold) |"
            return [row] + rows(fields(parameter.type), below: "\(name).")
        }
    }

    private static func fields(_ type: ParameterType) -> [ValidatorParameter] {
        switch type {
        case .object(let fields, _): fields
        case .list(let element), .map(let element, _): fields(element)
        case .text, .path, .word, .bytes, .percent, .duration, .integer, .number, .boolean,
            .digest, .json:
            []
        }
    }

    private static func sentence(_ rule: ValidatorSpec.Rule) -> String {
        func list(_ names: [String]) -> String {
            names.map { "`\($0)`" }.joined(separator: ", ")
        }
        return switch rule {
        case .exactlyOne(let names, _): "Exactly one of \(list(names)) is given."
        case .atLeastOne(let names): "At least one of \(list(names)) is given."
        case .atMostOne(let names): "At most one of \(list(names)) is given."
        case .ascending(let low, let high): "`\(low)` is not above `\(high)`."
        case .weightedChecks(let name): "`\(name)` names at least one check."
        }
    }

    /// One sentence a line.
    private static func sentences(_ text: String) -> [String] {
        text.replacing(". ", with: ".\n").split(separator: "\n").map(String.init)
    }

    private static func cell(_ text: String) -> String { text.replacing("|", with: "\\|") }
}

extension String {
    fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
