import ArgumentParser
import FleetWire
import NIOHTTP1
import OperatorAPI
import RolloutCore

/// The commands that steer one rollout.
protocol SteeringCommand: AsyncParsableCommand {
    var rollout: RolloutID { get }
    var reason: ReasonOptions { get }
    var output: OutputOptions { get }
    /// What the rollout is told.
    var command: OperatorCommand { get }
}

extension SteeringCommand {
    func run() async throws {
        try await APIClient.with { client in
            let view: RolloutView = try await client.send(
                .POST, client.path(rollout, "commands"),
                CommandRequest(command: command, reason: reason.reason),
                to: "\(command.name) rollout \(rollout)")
            try output.show(view) { _, style in
                [
                    "\(rollout) " + style.paint(view.state.label, view.state.role) + ": "
                        + (ExitStatus(outcomeOf: view) == nil
                            ? WhyText.sentence(view.why, now: Clock.now) : view.reason)
                ]
            }
        }
    }
}

extension RolloutCommand {
    /// `belay rollout pause`.
    struct Pause: SteeringCommand {
        static let configuration = CommandConfiguration(
            abstract: "Start no new host and no new wave.")
        @Argument(help: "The rollout.") var rollout: RolloutID
        @OptionGroup var reason: ReasonOptions
        @OptionGroup var output: OutputOptions
        var command: OperatorCommand { .pause }
    }

    /// `belay rollout resume`.
    struct Resume: SteeringCommand {
        static let configuration = CommandConfiguration(abstract: "Go on after a pause.")
        @Argument(help: "The rollout.") var rollout: RolloutID
        @OptionGroup var reason: ReasonOptions
        @OptionGroup var output: OutputOptions
        var command: OperatorCommand { .resume }
    }

    /// `belay rollout abort`.
    struct Abort: SteeringCommand {
        static let configuration = CommandConfiguration(
            abstract: "End for good; changed hosts stay as they are, or go back with --roll-back.")
        @Argument(help: "The rollout.") var rollout: RolloutID
        @Flag(help: "Take back every host that was changed.") var rollBack = false
        @OptionGroup var reason: ReasonOptions
        @OptionGroup var output: OutputOptions
        var command: OperatorCommand {
            rollBack ? .rollback(RollbackSelection(hosts: .all)) : .abort
        }
    }

    /// `belay rollout retry`.
    struct Retry: SteeringCommand {
        static let configuration = CommandConfiguration(abstract: "Try failed hosts again.")
        @Argument(help: "The rollout.") var rollout: RolloutID
        @Option(help: "Only this host; may be given several times.") var host: [HostID] = []
        @OptionGroup var reason: ReasonOptions
        @OptionGroup var output: OutputOptions
        var command: OperatorCommand { .retry(hosts: host) }
    }

    /// `belay rollout skip`.
    struct Skip: SteeringCommand {
        static let configuration = CommandConfiguration(
            abstract: "Leave a host out; needs --reason.")
        @Argument(help: "The rollout.") var rollout: RolloutID
        @Option(help: "The host.") var host: HostID
        @OptionGroup var reason: ReasonOptions
        @OptionGroup var output: OutputOptions
        var command: OperatorCommand { .skip(host: host) }

        func validate() throws {
            try reason.require(for: "skip")
        }
    }

    /// `belay rollout promote`.
    struct Promote: SteeringCommand {
        static let configuration = CommandConfiguration(
            abstract: "Open the manual gate that is waited for, or end a soak early.")
        @Argument(help: "The rollout.") var rollout: RolloutID
        @OptionGroup var reason: ReasonOptions
        @OptionGroup var output: OutputOptions
        var command: OperatorCommand { .promote }
    }

    /// `belay rollout approve`.
    struct Approve: SteeringCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a rollout begin that awaits approval, or approve the gate that waits.")
        @Argument(help: "The rollout.") var rollout: RolloutID
        @OptionGroup var reason: ReasonOptions
        @OptionGroup var output: OutputOptions
        var command: OperatorCommand { .approve }
    }

    /// `belay rollout reject`.
    struct Reject: SteeringCommand {
        static let configuration = CommandConfiguration(
            abstract: "Refuse the rollout or the gate that waits for a person; needs --reason.")
        @Argument(help: "The rollout.") var rollout: RolloutID
        @OptionGroup var reason: ReasonOptions
        @OptionGroup var output: OutputOptions
        var command: OperatorCommand { .reject }

        func validate() throws { try reason.require(for: "reject") }
    }
}
