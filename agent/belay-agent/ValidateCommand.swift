import AgentRuntime
import ArgumentParser
import FleetWire
import Glibc
import HostProcesses
import HostValidators
import Validation

/// `validate`: checks on this host, with no coordinator.
struct ValidateCommand: AsyncParsableCommand {
    /// How the results are printed.
    enum Format: String, ExpressibleByArgument, CaseIterable { case table, json, junit, html }

    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Run checks on this host.",
        discussion: """
            Without a file each CHECK is a validator that needs no parameters beyond those of \
            /etc/belay/belay-agent.json; with one it is the name of a check there. With neither \
            the verification of the open rollout is run, which needs the agent.
            Ends with 0 if all passed, 6 if a critical check failed, 7 if nothing can be told.
            """)
    @OptionGroup var options: StateOptions
    @Argument(help: "Checks by name, or validators.") var check: [String] = []
    @Option(help: "A plan as JSON; the checks of its stages are run.") var plan: String?
    @Option(help: "Checks as JSON, an array as in plans or {\"checks\": [...]}.")
    var checks: String?
    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: "How to print: table, json, junit or html.")
    var output = Format.table

    func validate() throws {
        if plan != nil, checks != nil { throw ValidationError("give --plan or --checks, not both") }
    }

    func run() async throws {
        let state = options.directory
        let begun = HostClock.now()
        let asked: [CheckSpec]
        let results: [CheckResult]
        if plan == nil, checks == nil, check.isEmpty {
            (asked, results) = try await askAgent(state)
        } else {
            try ValidatorSettings.requireSound(state)
            let document = try document()
            asked = try selected(from: document)
            let context = TemplateContext(
                root: state.root, host: state.hostID, labels: [:], facts: HostFacts.gather(),
                variables: document?.variables ?? [:])
            let shows = output == .table && isatty(2) == 1
            results = await CheckRunner(root: state.rootDirectory)
                .run(asked, context: context) { result in
                    if shows { Self.progress(result) }
                }
        }
        let report = ValidationReport(
            title: "validation", at: begun, asked: asked,
            hosts: [ValidationReport.Host(host: state.hostID.rawValue, results: results)])
        try show(report)
        if report.exitCode != 0 { throw ExitCode(report.exitCode) }
    }

    private func askAgent(
        _ state: StateDirectory
    ) async throws -> ([CheckSpec], [CheckResult]) {
        let reply = try await ControlClient.ask(
            ControlRequest(.validate), state, logger: options.logger())
        if let refusal = reply.refusal { throw Output.refuse(refusal) }
        return (reply.asked ?? [], reply.results ?? [])
    }

    private func document() throws -> CheckDocument? {
        guard let path = plan ?? checks else { return nil }
        let value = try FileArgument.read(ParameterValue.self, path)
        let document = CheckDocument(value, isPlan: plan != nil)
        guard document.problems.isEmpty else {
            throw AgentError(
                "\(path): " + document.problems.joined(separator: "; "),
                remedy: "correct it; docs/reference/validators.md lists all parameters",
                exitCode: 3)
        }
        return document
    }

    private func selected(from document: CheckDocument?) throws -> [CheckSpec] {
        guard let document else { return try check.map(Self.validator) }
        guard !check.isEmpty else { return document.checks }
        return try check.map { name in
            if let found = document.checks.first(where: { $0.name == name }) { return found }
            let hint = NearestName.hint(name, among: document.checks.map(\.name))
            throw AgentError("there is no check `\(name)`\(hint)", exitCode: 13)
        }
    }

    /// A check of a validator alone; what it needs beyond defaults must be configured.
    private static func validator(_ id: String) throws -> CheckSpec {
        guard let spec = ValidatorCatalog.spec(id) else {
            let hint = NearestName.hint(id, among: ValidatorCatalog.all.map(\.id))
            throw AgentError("there is no validator `\(id)`\(hint)", exitCode: 13)
        }
        let needed = spec.parameters.filter { $0.isRequired && $0.threshold == nil }
        guard needed.isEmpty else {
            throw AgentError(
                "`\(id)` needs " + needed.map { "`\($0.name)`" }.joined(separator: ", "),
                remedy: "write it into a file of checks and give it with --checks", exitCode: 5)
        }
        return CheckSpec(name: id, kind: CheckKind(spec.call([:])), level: spec.level)
    }

    private func show(_ report: ValidationReport) throws {
        let text =
            switch output {
            case .table: report.table().joined(separator: "\n") + "\n"
            case .json: try Document.text(of: report, as: .json)
            case .junit: report.junit
            case .html: report.html
            }
        Stream.output.write(text)
    }

    private static func progress(_ result: CheckResult) {
        let line = Array("\(result.status.word): \(result.name.oneLine)\n".utf8)
        write(2, line, line.count)
    }
}

/// The thresholds of this host.
enum ValidatorSettings {
    /// Throws if the file is there and malformed, so that nobody believes it is in force.
    static func requireSound(_ state: StateDirectory) throws {
        do throws(ValidatorConfiguration.Failure) {
            _ = try ValidatorConfiguration.read(root: state.rootDirectory)
        } catch {
            throw AgentError(error.reason, remedy: "correct the file or remove it", exitCode: 3)
        }
    }
}
