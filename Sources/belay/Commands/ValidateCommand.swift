import ArgumentParser
import FleetWire
import Foundation
import OperatorAPI
import RolloutPlan
import Validation
import Yams

/// `belay validate`.
struct ValidateCommand: AsyncParsableCommand {
    /// How the results are printed.
    enum Format: String, ExpressibleByArgument, CaseIterable { case table, json, yaml, junit, html }

    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Run checks on hosts now.",
        discussion: """
            Without a file each CHECK is a validator that needs no parameters; with one it is the \
            name of a check there. Ends with 0 if all passed, 6 if a critical check failed, 4 if a \
            host is not connected or went away, 7 if nothing can be told. A host that does not answer never \
            passes.
            """)
    @Argument(help: "Checks by name, or validators.") var check: [String] = []
    @OptionGroup var choice: HostsChoice
    @Option(
        help: "A plan; the checks of its stages are run.",
        completion: .file(extensions: ["yaml", "yml"]))
    var from: String?
    @Option(help: "With --from: only the checks of this stage.") var stage: Stage?
    @Option(
        help: "Checks in a file, YAML or JSON: a list as in plans, or {checks: [...]}.",
        completion: .file(extensions: ["yaml", "yml", "json"]))
    var checks: String?
    @Option(help: "Hosts asked at the same time, 1 to 256; 64 if left out.")
    var maxParallel: Int?
    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: "How to print: table, json, yaml, junit or html.")
    var output = Format.table
    @Option(help: "Write a report too: .json, .html, .xml (JUnit) or .txt.")
    var report: String?

    func validate() throws {
        Audience.isProgram = output == .json || output == .yaml
        if from != nil, checks != nil { throw ValidationError("give --from or --checks, not both") }
        if from != nil, !choice.isGiven {
            throw ValidationError(
                "the plan's checks may not fit all hosts: give --host, --hosts or --all")
        }
        if stage != nil, from == nil { throw ValidationError("--stage needs --from") }
        if from == nil, checks == nil, check.isEmpty {
            throw ValidationError("name checks, or give --from PLAN or --checks FILE")
        }
        if let maxParallel, !(1...256).contains(maxParallel) {
            throw ValidationError("--max-parallel must be 1 to 256")
        }
        if let report, ReportFile(report) == nil {
            throw ValidationError("--report must end with \(ReportFile.endings)")
        }
    }

    func run() async throws {
        let (asked, variables) = try wanted()
        var request = FleetCheckRequest(
            selection: choice.selection, checks: asked, variables: variables)
        request.maxParallel = maxParallel
        let begun = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        let answers = try await CheckSession.ask(request, to: "validate \(choice.words)")
        let found = ValidationReport(
            title: from.map { "validation of \($0)" } ?? "validation", at: begun, asked: asked,
            hosts: answers.map { answer in
                ValidationReport.Host(
                    host: answer.host.rawValue, results: answer.results ?? [],
                    problem: answer.failure.map { failure in
                        failure.message + (failure.remedy.map { "; " + $0 } ?? "")
                    })
            })
        try show(found)
        if let report { try ReportFile(report)?.write(found) }
        let isAway = answers.contains { $0.failure?.code == "unreachable" }
        if found.verdict == .fail { throw EndWith(status: .gateFailed) }
        if isAway { throw EndWith(status: .unreachable) }
        if found.verdict == .inconclusive { throw EndWith(status: .inconclusive) }
    }

    private func show(_ found: ValidationReport) throws {
        switch output {
        case .table:
            let style = Console.output.style
            Console.output.lines(found.table { style.paint($1, $0.role) })
        case .json: Console.output.write(try Document.text(of: found, as: .json))
        case .yaml: Console.output.write(try Document.text(of: found, as: .yaml))
        case .junit: Console.output.write(found.junit)
        case .html: Console.output.write(found.html)
        }
    }

    // MARK: - Which checks

    private func wanted() throws -> ([CheckSpec], [String: String]) {
        if let from {
            let plan = try PlanFile.load(from).plan
            return (try selected(of: Self.checks(of: plan, stage), in: from), plan.variables)
        }
        guard let checks else { return (try check.map(Self.validator), [:]) }
        let document = try Self.document(checks)
        return (try selected(of: document.checks, in: checks), document.variables)
    }

    /// The checks of a plan's stages; those of a later stage that have the name of an earlier one
    /// are called `STAGE/NAME`.
    private static func checks(of plan: Plan, _ only: Stage?) throws -> [CheckSpec] {
        var checks: [CheckSpec] = []
        for work in plan.stages where only == nil || work.stage == only {
            for var check in work.checks {
                if checks.contains(where: { $0.name == check.name }) {
                    check.name = "\(work.stage.rawValue)/\(check.name)"
                }
                checks.append(check)
            }
        }
        return checks
    }

    private func selected(of checks: [CheckSpec], in file: String) throws -> [CheckSpec] {
        let found = try check.map { name in
            if let found = checks.first(where: { $0.name == name }) { return found }
            let hint = NearestName.hint(name, among: checks.map(\.name))
            throw CommandFailure(.notFound, "\(file) has no check `\(name)`\(hint)")
        }
        let chosen = check.isEmpty ? checks : found
        guard !chosen.isEmpty else {
            throw CommandFailure(
                .invalid, "\(file) has no checks\(stage.map { " in \($0.rawValue)" } ?? "")",
                remedy: "nothing would be looked at; name another file or stage")
        }
        return chosen
    }

    private static func document(_ path: String) throws -> CheckDocument {
        let value: ParameterValue
        do {
            let text = try String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8)
            value = try YAMLDecoder().decode(ParameterValue.self, from: text)
        } catch let error as YamlError {
            throw CommandFailure(.invalid, "\(path) is not YAML: \(error)")
        } catch let error as DecodingError {
            throw CommandFailure(
                .invalid, "\(path) is neither a list nor a mapping of checks: \(error)")
        } catch {
            throw CommandFailure(.invalid, "cannot read \(path): \(error.localizedDescription)")
        }
        let document = CheckDocument(value, isPlan: false)
        guard document.problems.isEmpty else {
            throw CommandFailure(
                .invalid, "\(path): " + document.problems.joined(separator: "; "),
                remedy: "correct it; docs/reference/validators.md lists all parameters")
        }
        return document
    }

    /// A check of a validator alone.
    private static func validator(_ id: String) throws -> CheckSpec {
        guard let spec = ValidatorCatalog.spec(id) else {
            let hint = NearestName.hint(id, among: ValidatorCatalog.all.map(\.id))
            throw CommandFailure(.notFound, "there is no validator `\(id)`\(hint)")
        }
        let call = spec.call([:])
        // Thresholds may be in the hosts' own configuration.
        let problems = spec.parameters.filter { $0.isRequired && $0.threshold == nil }
            .map { "`\(id)` needs `\($0.name)`" }
        guard problems.isEmpty else {
            throw CommandFailure(
                .usage, problems.joined(separator: "; "),
                remedy: "write it into a file of checks and give it with --checks")
        }
        return CheckSpec(name: id, kind: CheckKind(call), level: spec.level)
    }
}

extension Stage: ExpressibleByArgument {}

extension CheckStatus {
    /// How its word is painted.
    var role: Style.Role {
        switch self {
        case .pass: .good
        case .warn, .unknown: .caution
        case .fail: .bad
        case .notApplicable: .faint
        }
    }
}

/// A report in a file, of the kind that its name ends with.
struct ReportFile {
    private enum Kind: String, CaseIterable { case json, html, xml, txt }

    static let endings = Kind.allCases.map { "." + $0.rawValue }.joined(separator: ", ")

    let path: String
    private let kind: Kind

    /// Nil if the name does not say of which kind it is.
    init?(_ path: String) {
        guard let kind = path.split(separator: ".").last.flatMap({ Kind(rawValue: String($0)) })
        else { return nil }
        self.path = path
        self.kind = kind
    }

    func write(_ report: ValidationReport) throws {
        let text =
            switch kind {
            case .json: try Document.text(of: report, as: .json)
            case .html: report.html
            case .xml: report.junit
            case .txt: report.table().joined(separator: "\n") + "\n"
            }
        try WholeFile.write(Array(text.utf8), to: path, option: "--report")
    }
}
