import ArgumentParser
import FleetWire
import Foundation
import NIOHTTP1
import OperatorAPI
import RolloutCore
import RolloutPlan

/// `belay apply`.
struct ApplyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Roll a plan out: show it, ask, start it, and watch until it ends.")

    @Argument(help: "The plan, a YAML file.", completion: .file(extensions: ["yaml", "yml"]))
    var file: String
    @Flag(help: "Do not ask.")
    var autoApprove = false
    @Option(help: "The digest that `belay plan` printed: apply exactly that or nothing.")
    var digest: Digest?
    @Flag(help: "Return once the rollout has begun.")
    var detach = false
    @Flag(help: "If other rollouts hold the hosts, begin once they let go of them.")
    var queue = false
    @Flag(help: "Let known-bad artifacts and plans through; needs --reason.")
    var overrideQuarantine = false
    @OptionGroup var reason: ReasonOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if overrideQuarantine { try reason.require(for: "--override-quarantine") }
    }

    func run() async throws {
        let loaded = try PlanFile.load(file)
        let question = Question()
        guard autoApprove || digest != nil || question.canBeAsked else {
            throw CommandFailure(
                .usage, "cannot ask whether to apply \(loaded.plan.name): there is no terminal",
                remedy: "give the --digest that `belay plan \(ShellWord.quote(file))` prints, or "
                    + "--auto-approve")
        }
        try await APIClient.with { client in
            try await ArtifactUpload(client: client, console: .error)
                .run(loaded.plan, files: loaded.artifactFiles)
            let preview = try await client.preview(loaded.plan)
            try compare(preview)
            show(preview)
            try confirm(question, preview)
            let view = try await start(client, loaded.plan, digest: preview.digest)
            try await follow(client, view)
        }
    }

    private func compare(_ preview: PlanPreview) throws(CommandFailure) {
        guard let digest, digest != preview.digest else { return }
        throw CommandFailure(
            .conflict,
            "the plan or its hosts moved since it was approved: it was \(digest), now it is "
                + "\(preview.digest)",
            remedy: "look at `belay plan \(ShellWord.quote(file))` again")
    }

    private func show(_ preview: PlanPreview) {
        // With a document on stdout the plan for people goes beside it.
        let isDocument = output.format == .json || output.format == .yaml
        let console = isDocument ? Console.error : .output
        let text = PlanText(
            preview: preview, file: file, style: console.style,
            calendar: PlanCalendar.read(preview.plan))
        // Whoever approved it beforehand has read it.
        console.lines(autoApprove || digest != nil ? text.summary() : text.lines())
    }

    private func confirm(_ question: Question, _ preview: PlanPreview) throws {
        guard !autoApprove, digest == nil else { return }
        let hosts = QuantityText.count(preview.plan.hosts.count, "host")
        guard question.ask("\nApply this to \(hosts)? Only \"yes\" is accepted: ") else {
            Console.error.line("not applied; nothing was changed")
            throw EndWith(status: .invalid)
        }
    }

    private func start(_ client: APIClient, _ plan: Plan, digest: Digest) async throws
        -> RolloutView
    {
        var request = ApplyRequest(
            plan: plan, digest: digest, overrideQuarantine: overrideQuarantine,
            reason: reason.reason)
        request.queue = queue ? true : nil
        let view: RolloutView = try await client.send(
            .POST, "/v1/rollouts", request, to: "apply \(plan.name)",
            within: APIClient.Limits.plan)
        Console.error.line(
            view.state == .planned
                ? "rollout \(view.id) is queued; " + WhyText.sentence(view.why, now: Clock.now)
                : "rollout \(view.id) has begun")
        return view
    }

    private func follow(_ client: APIClient, _ view: RolloutView) async throws {
        if detach {
            try output.show(view) { _, _ in
                ["\(view.id)"]
            }
            return
        }
        let watch = RolloutWatch(
            client: client, rollout: view.id, progress: .error, result: output.format)
        throw EndWith(status: try await watch.run(outcome: ExitStatus.init(outcomeOf:)))
    }
}

/// A question to whoever sits at the terminal.
struct Question {
    let canBeAsked = isatty(0) == 1 && Console.error.isTerminal

    func ask(_ text: String) -> Bool {
        Console.error.write(text)
        return readLine() == "yes"
    }
}
