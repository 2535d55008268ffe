import ArgumentParser
import FleetWire
import NIOHTTP1
import OperatorAPI
import RolloutCalendar
import RolloutPlan

/// `belay plan`.
struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Show what a plan would do; changes nothing.")

    @Argument(help: "The plan, a YAML file.", completion: .file(extensions: ["yaml", "yml"]))
    var file: String
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let loaded = try PlanFile.load(file)
        try await APIClient.with { client in
            let preview = try await client.preview(loaded.plan)
            let calendar = PlanCalendar.read(preview.plan)
            try output.show(PlanReport(preview: preview, calendar: calendar)) { _, style in
                PlanText(preview: preview, file: file, style: style, calendar: calendar).lines()
            }
        }
    }
}

/// A preview, and when it could begin; one document for programs.
struct PlanReport: Encodable {
    var preview: PlanPreview
    var calendar: PlanCalendar?

    private enum CodingKeys: CodingKey { case calendar }

    func encode(to encoder: any Encoder) throws {
        try preview.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(calendar, forKey: .calendar)
    }
}

/// Plans from files, with their warnings told.
enum PlanFile {
    /// A machine without time zones leaves it to the coordinator to know them.
    static var zones: ZoneLookup? {
        ZoneFolder.ofThisMachine.isThere ? ZoneFolder.ofThisMachine.lookup : nil
    }

    static func load(_ path: String) throws(PlanProblems) -> LoadedPlan {
        let loaded = try PlanLoader.load(path: path, zones: zones)
        Console.error.lines(FailureText.lines(loaded.warnings, style: Console.error.style))
        return loaded
    }
}

extension APIClient {
    func preview(_ plan: Plan) async throws -> PlanPreview {
        try await send(
            .POST, "/v1/plan", PreviewRequest(plan: plan), to: "plan \(plan.name)",
            within: Limits.plan)
    }
}

/// `belay lint`.
struct LintCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lint", abstract: "Check a plan without a coordinator.")

    @Argument(help: "The plan, a YAML file.", completion: .file(extensions: ["yaml", "yml"]))
    var file: String?
    @Flag(help: "Print the JSON Schema of plans, for editors.")
    var schema = false
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (file == nil) == schema else {
            throw ValidationError("give either a FILE or --schema")
        }
    }

    func run() throws {
        guard let file else {
            Console.output.write(PlanSchema.json)
            return
        }
        let loaded = try PlanLoader.load(path: file, zones: PlanFile.zones)
        switch output.format {
        case .table, .wide:
            Console.error.lines(FailureText.lines(loaded.warnings, style: Console.error.style))
            let plan = loaded.plan
            Console.output.line(
                "\(file): good; \(plan.name) has "
                    + QuantityText.count(plan.components.count, "component") + ", "
                    + QuantityText.count(plan.stages.reduce(0) { $0 + $1.steps.count }, "step")
                    + ", digest \(plan.digest)")
        case .json, .yaml:
            try output.show(PlanProblems(loaded.warnings)) { _, _ in [] }
        }
    }
}
