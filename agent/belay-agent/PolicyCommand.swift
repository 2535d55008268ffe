import AgentRuntime
import ArgumentParser
import FleetWire
import HostSnapshots

/// `belay-agent point policy`.
struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract: "Show or set which points are kept, and how they are stored and checked.",
        discussion: """
            Agent, guard and these commands read it alike, from settings.json in the store. What is
            not named stays as it is; none as a value takes a setting away. Until one of the keep
            options is given the default holds: a point goes only if it has no name, is older than
            30 days, and ten newer ones hold the same components. --keep none keeps all points.
            """)
    @OptionGroup var options: StateOptions
    @Option(help: "Keep at most this many points, or none.") var keep: String?
    @Option(help: "Keep no point older than this, as 30d, or none.") var keepFor: String?
    @Option(help: "Keep the newest that take at most this, as 20GiB, or none.") var keepBytes:
        String?
    @Option(help: "Seal new points with the key in this file, or none.") var key: String?
    @Option(help: "Read all objects back this often, as 7d, or none for the default, 7d.")
    var scrubEvery: String?
    @OptionGroup var output: OutputOptions

    func run() throws {
        let store = PointSettings(options.directory)
        var settings = try store.read()
        let before = settings
        if keep != nil || keepFor != nil || keepBytes != nil {
            var retention = settings.retention ?? PointRetention()
            try take(keep, &retention.count) {
                guard let count = Int($0), count > 0 else {
                    throw ValidationError("--keep \($0): write a number from 1 on, or none")
                }
                return count
            }
            try take(keepFor, &retention.age, Arguments.span)
            try take(keepBytes, &retention.bytes, Arguments.size)
            settings.retention = retention
        }
        try take(key, &settings.keyFile) { $0 }
        try take(scrubEvery, &settings.scrubEvery, Arguments.span)
        if settings != before { try store.write(settings) }
        let shown = PointPolicy(settings)
        try output.show(shown) { _, style in PolicyText.lines(shown, style: style) }
    }

    private func take<Value>(
        _ text: String?, _ setting: inout Value?, _ parse: (String) throws -> Value
    ) throws {
        guard let text else { return }
        setting = text == "none" ? nil : try parse(text)
    }
}

/// The settings as people read them.
enum PolicyText {
    static func lines(_ policy: PointPolicy, style: Style) -> [String] {
        let origin = policy.retentionOrigin.rawValue
        var rows = [["SETTING", "VALUE", "ORIGIN"]]
        switch policy.retentionOrigin {
        case .standard:
            let count = Quantity.count(policy.retention.count ?? 0, "point")
            let age = policy.retention.age?.text ?? ""
            rows.append([
                "keep", "named points, all of the last \(age), \(count) of the same components",
                origin,
            ])
        case .settings:
            rows += [
                [
                    "keep", policy.retention.count.map { Quantity.count($0, "point") } ?? "all",
                    origin,
                ],
                ["keep for", policy.retention.age?.text ?? "for ever", origin],
                ["keep bytes", policy.retention.bytes?.text ?? "no limit", origin],
            ]
        }
        rows += [
            ["key", policy.keyFile ?? "points are not sealed", ""],
            ["scrub every", policy.scrubEvery.text, ""],
        ]
        return PointText.table(rows, style: style)
    }
}
