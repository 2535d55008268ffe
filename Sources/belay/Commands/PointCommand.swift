import ArgumentParser
import FleetWire
import NIOHTTP1
import OperatorAPI
import RolloutPlan

/// `belay point …`.
struct PointCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "point", abstract: "Rollback points on hosts.",
        subcommands: [Create.self, List.self, Show.self, Verify.self])

    /// `belay point create`.
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Capture a plan's components now.")
        @OptionGroup var choice: HostChoice
        @Option(help: "The plan whose components are captured.", completion: .file())
        var plan: String
        @OptionGroup var reason: ReasonOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let components = try PlanFile.load(plan).plan.components
            try await APIClient.with { client in
                var request = PointRequest(action: .create)
                request.components = components
                request.reason = reason.reason ?? "made by hand"
                let points = try await client.points(choice, request)
                try output.show(points) {
                    ListText.points(points, isWide: $0, style: $1)
                }
            }
        }
    }

    /// `belay point list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List points.")
        @OptionGroup var choice: HostChoice
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await APIClient.with { client in
                let points = try await client.points(choice, PointRequest(action: .list))
                try output.show(points) {
                    ListText.points(points, isWide: $0, style: $1)
                }
            }
        }
    }

    /// `belay point show`.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show what a point holds.")
        @Argument(help: "The point.") var point: PointID
        @Option(help: "Its host.") var host: HostID
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await APIClient.with { client in
                let reply = try await client.points(
                    host, PointRequest(action: .show, point: point.rawValue))
                try output.show(reply) { _, style in
                    ListText.points(
                        [HostPoints(host: host, reply: reply)], isWide: true, style: style) + [""]
                        + (reply.entries ?? [])
                }
            }
        }
    }

    /// `belay point verify`.
    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read a point back and compare all of it; damage ends with 6.")
        @Argument(help: "The point.") var point: PointID
        @Option(help: "Its host.") var host: HostID
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let reply = try await APIClient.with { client in
                try await client.points(
                    host, PointRequest(action: .verify, point: point.rawValue))
            }
            guard let damaged = reply.damaged else {
                throw CommandFailure(
                    .inconclusive, "\(host) did not say whether \(point) is whole",
                    remedy: "look whether its agent is older than the coordinator")
            }
            try output.show(reply) { _, style in
                damaged.isEmpty
                    ? [style.paint("whole: ", .good) + "\(point) on \(host)"]
                    : damaged.map { style.paint("damaged: ", .bad) + $0 }
            }
            if !damaged.isEmpty { throw EndWith(status: .gateFailed) }
        }
    }
}

extension APIClient {
    func points(_ host: HostID, _ request: PointRequest) async throws -> PointReply {
        try await send(
            .POST, Path("/v1/hosts").adding(host.rawValue, "points"), request,
            to: "\(request.action.rawValue) points on \(host)", within: Limits.plan)
    }

    func points(_ choice: HostChoice, _ request: PointRequest) async throws -> [HostPoints] {
        var answers: [HostPoints] = []
        for host in try await choice.hosts(self) {
            answers.append(HostPoints(host: host, reply: try await points(host, request)))
        }
        return answers
    }
}
