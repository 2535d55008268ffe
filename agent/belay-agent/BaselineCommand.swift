import AgentRuntime
import ArgumentParser
import FleetWire
import Glibc
import HostProcesses
import HostValidators
import Validation

/// `belay-agent baseline`.
struct BaselineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "baseline",
        abstract: "Time an endpoint or a program, and hold later times against that.",
        subcommands: [Record.self, Show.self, Compare.self])

    /// `belay-agent baseline record`.
    struct Record: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Time something and keep the figures in a file.",
            discussion: """
                Runs one after the other, so that what is timed is not its own load. The check \
                performance_baseline and `baseline compare` read the file. What is timed is kept \
                there, so it must hold no secret.
                """)
        @OptionGroup var options: StateOptions
        @Argument(help: "The file to write; one that is there is replaced.") var file: String
        @Option(help: "The endpoint to time, http://…") var url: String?
        @Argument(
            parsing: .postTerminator,
            help: "Behind --: the program to time and its arguments.")
        var program: [String] = []
        @Option(help: "How often it is timed, 5 to 10000.") var samples = 50
        @Option(help: "How often it runs before that.") var warmup = 5
        @Option(help: "Record nothing if more than so many percent of the runs fail.")
        var errorsMax = 1.0
        @Option(help: "How long all of it may take.") var timeout = "5m"
        @Option(help: "The digest of the plan that the figures belong to.") var plan: String?
        @OptionGroup var output: OutputOptions

        func validate() throws {
            guard (url == nil) != program.isEmpty else {
                throw ValidationError("give --url URL, or -- and a program")
            }
            guard (5...10_000).contains(samples), (0...1000).contains(warmup) else {
                throw ValidationError("--samples must be 5 to 10000, and --warmup 0 to 1000")
            }
            guard (0...100).contains(errorsMax) else {
                throw ValidationError("--errors-max must be 0 to 100")
            }
            if let plan, Digest(plan) == nil {
                throw ValidationError("\(plan) is no digest; `belay plan` shows it")
            }
            _ = try Arguments.span(timeout)
        }

        func run() async throws {
            let state = options.directory
            let begun = HostClock.now()
            let baseline = PerformanceBaseline(
                url: url, argv: url == nil ? program : nil, host: state.hostID.rawValue,
                plan: plan.flatMap { Digest($0) }, at: begun, figures: try await figures(state))
            try StateDirectory.write(try WireJSON.encode(baseline), path: file)
            try output.show(baseline) { _, _ in BaselineText.lines(baseline) }
        }

        /// What is measured now. Throws if it may not be kept: later times could not be told from
        /// it, or would be held against errors.
        private func figures(_ state: StateDirectory) async throws -> PerformanceFigures {
            let target = url ?? program.joined(separator: " ")
            guard Redactor.redact(target) == target else {
                throw AgentError(
                    "nothing was recorded: what is timed holds what looks like a secret, which "
                        + "\(file) would keep",
                    remedy: "let a program read it from a file of its own", exitCode: 3)
            }
            let probe = PerformanceProbe(
                url: url, argv: program, samples: samples, warmup: warmup)
            let context = BaselineText.context(state)
            switch await probe.measure(context, within: try Arguments.span(timeout)) {
            case .failure(let why):
                throw AgentError(
                    "nothing was recorded: \(Redactor.redact(why.reason))",
                    remedy: "look at what is timed, or raise --timeout", exitCode: 7)
            case .success(let figures) where figures.errorRate * 100 > errorsMax:
                throw AgentError(
                    "nothing was recorded: more errors than --errors-max, \(errorsMax)%: "
                        + figures.text,
                    remedy: "mend what is timed, or raise --errors-max", exitCode: 6)
            case .success(let figures): return figures
            }
        }
    }

    /// `belay-agent baseline show`.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show what a file holds.")
        @Argument(help: "The file.") var file: String
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let baseline = try BaselineText.read(file)
            try output.show(baseline) { _, _ in BaselineText.lines(baseline) }
        }
    }

    /// `belay-agent baseline compare`.
    struct Compare: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Time the same again and hold it against the file.",
            discussion: """
                Does what the check performance_baseline does, with its thresholds or those of \
                /etc/belay/belay-agent.json. Ends with 6 if it is slower than it may be, with 7 if \
                nothing could be timed.
                """)
        @OptionGroup var options: StateOptions
        @Argument(help: "The file.") var file: String
        @Option(help: "How often it is timed, 5 to 10000.") var samples: Int?
        @Option(help: "Fail if it is longer by more than so many percent.") var slowerMax: Double?
        @Option(help: "Warn if it is longer by more than so many percent.") var slowerWarn: Double?
        @Option(help: "How long all of it may take.") var timeout = "5m"
        @OptionGroup var output: OutputOptions

        func validate() throws { _ = try Arguments.span(timeout) }

        func run() async throws {
            let state = options.directory
            try ValidatorSettings.requireSound(state)
            let baseline = try BaselineText.read(file)
            let path = file.hasPrefix("/") ? file : BaselineText.here + "/" + file
            var parameters: [String: ParameterValue] = [
                "baseline": .text(TemplateContext.literal(path))
            ]
            parameters["url"] = baseline.url.map { .text(TemplateContext.literal($0)) }
            parameters["argv"] = baseline.argv.map { argv in
                .list(argv.map { .text(TemplateContext.literal($0)) })
            }
            parameters["samples"] = samples.map { .whole($0) }
            parameters["slower_max"] = slowerMax.map { .number($0) }
            parameters["slower_warn"] = slowerWarn.map { .number($0) }
            let spec = ValidatorSpec.performanceBaseline
            let call = spec.call(parameters)
            let problems = spec.problems(of: call).map(\.reason)
            guard problems.isEmpty else {
                throw AgentError(problems.joined(separator: "; "), exitCode: 5)
            }
            let check = CheckSpec(
                name: spec.id, kind: CheckKind(call), level: .critical,
                timeout: try Arguments.span(timeout))
            let begun = HostClock.now()
            // The file is where the caller says, not below the root; programs run as if recorded.
            let results = await CheckRunner(
                root: "/", configuration: try ValidatorConfiguration.read(root: state.rootDirectory)
            ).run([check], context: BaselineText.context(state))
            let report = ValidationReport(
                title: "comparison", at: begun, asked: [check],
                hosts: [ValidationReport.Host(host: state.hostID.rawValue, results: results)])
            try output.show(report) { _, _ in report.table() }
            if report.exitCode != 0 { throw ExitCode(report.exitCode) }
        }
    }
}

/// Baselines in files, and as people read them.
enum BaselineText {
    /// What is timed sees this, when it is recorded and when it is compared.
    static func context(_ state: StateDirectory) -> TemplateContext {
        TemplateContext(
            root: state.root, host: state.hostID, labels: [:], facts: [:], variables: [:])
    }

    static var here: String {
        guard let path = getcwd(nil, 0) else { return "" }
        defer { free(path) }
        return String(cString: path)
    }

    static func read(_ file: String) throws -> PerformanceBaseline {
        let baseline = try FileArgument.read(PerformanceBaseline.self, file)
        guard baseline.version == PerformanceBaseline.version else {
            throw AgentError(
                "\(file) is of version \(baseline.version)",
                remedy: "this agent knows version \(PerformanceBaseline.version)", exitCode: 3)
        }
        return baseline
    }

    static func lines(_ baseline: PerformanceBaseline) -> [String] {
        [
            "target  \(Redactor.redact(baseline.target))", "host    \(baseline.host)",
            "plan    \(baseline.plan.map { "\($0)" } ?? "none was named")",
            "at      \(baseline.at.utc)",
            "figures \(baseline.figures.text)",
        ]
    }
}
