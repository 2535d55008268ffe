import ArgumentParser
import FleetWire
import NIOHTTP1
import OperatorAPI
import RolloutCore

/// `belay rollback`.
struct RollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Take hosts back: all of a rollout, a wave, or one host; all of it or a part.")

    @Argument(help: "The rollout; the newest that changed --host if left out.")
    var rollout: RolloutID?
    @Option(help: "Only this host.")
    var host: HostID?
    @Option(help: "Only this wave.")
    var wave: String?
    @Option(help: "full, component=NAME, flags, config or data.")
    var scope: RollbackScope = .full
    @Option(
        name: .customLong("to"), help: "To this point; each host's own of the rollout if left out.")
    var point: PointID?
    @Flag(help: "Lift max_parallel and max_unavailable: quicker, and the service may be down.")
    var fast = false
    @Flag(help: "Take later rollouts on the same hosts back as well.")
    var includeLater = false
    @Flag(help: "Take back hosts that ran an irreversible step as well; needs --reason.")
    var acrossPointOfNoReturn = false
    @Flag(help: "Return once the rollback has begun.")
    var detach = false
    @OptionGroup var reason: ReasonOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard rollout != nil || host != nil else {
            throw ValidationError("give a ROLLOUT or --host")
        }
        if host != nil, wave != nil { throw ValidationError("give --host or --wave, not both") }
        if point != nil, host == nil {
            throw ValidationError("--to needs --host: points belong to one host")
        }
        if acrossPointOfNoReturn { try reason.require(for: "--across-point-of-no-return") }
    }

    private var request: RollbackRequest {
        var request = RollbackRequest(
            rollout: rollout, host: host, wave: wave, scope: scope, point: point, fast: fast,
            includeLater: includeLater, reason: reason.reason)
        request.acrossPointOfNoReturn = acrossPointOfNoReturn ? true : nil
        return request
    }

    func run() async throws {
        let what = host.map { "host \($0)" } ?? rollout.map { "rollout \($0)" } ?? ""
        try await APIClient.with { client in
            let view: RolloutView = try await client.send(
                .POST, "/v1/rollbacks", request,
                to: "roll back \(what), scope \(scope)")
            if fast {
                Console.error.line(
                    "--fast: limits on unavailable hosts are lifted until it has ended")
            }
            if detach {
                try output.show(view) { _, _ in [view.id.rawValue] }
                return
            }
            let watch = RolloutWatch(
                client: client, rollout: view.id, progress: .error, result: output.format,
                fromNewestOrder: true)
            throw EndWith(status: try await watch.run(outcome: ExitStatus.init(rollbackOutcomeOf:)))
        }
    }
}
