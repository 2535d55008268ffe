import AgentRuntime
import FleetTransport
import FleetWire
import Foundation
import Logging
import Testing

/// Captures and restores that are stopped as they are stopped in life: by an order, over the control
/// socket, by a client that goes away, by an agent that ends.
@Suite(.timeLimit(.minutes(2))) struct StopTests {
    /// A component whose capture writes its own id and that of a child to `ids`, then waits.
    private func waiting(_ host: TestHost) -> ComponentSpec {
        ComponentSpec(
            name: ComponentName(unchecked: "thing"),
            driver: .command(
                CommandComponent(
                    capture: [
                        "/bin/sh", "-c",
                        "sleep 300 & echo $$ $! > \(host.path)/new; "
                            + "mv \(host.path)/new \(host.path)/ids; wait",
                    ], restore: ["/bin/false"])), restart: false)
    }

    private func create(_ components: [ComponentSpec]) -> ControlRequest {
        var request = ControlRequest(.point)
        request.point = PointRequest(action: .create)
        request.point?.components = components
        return request
    }

    private func ask(
        _ request: ControlRequest, _ state: StateDirectory,
        stops: AsyncStream<Void> = AsyncStream { $0.finish() }
    ) async throws -> ControlReply {
        try await ControlClient.ask(
            request, state, logger: Logger(label: "test"), stops: stops)
    }

    /// Waits until the capture's programs run; gives their ids.
    private func programs(_ host: TestHost) async throws -> [pid_t] {
        try await host.until("the capture's program") { host.read("/ids") != nil }
        let ids = (host.read("/ids") ?? "").split(whereSeparator: \.isWhitespace)
            .compactMap { pid_t($0) }
        try #require(ids.count == 2)
        return ids
    }

    private func expectNothingLeft(_ ids: [pid_t], _ host: TestHost) async throws {
        for id in ids {
            try await host.until("the end of process \(id)") {
                let path = "/proc/\(id)/stat"
                guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
                    return true
                }
                return text.split(separator: ")").last?.hasPrefix(" Z") == true
            }
        }
        for folder in ["points", "packs", "clones", "tmp"] {
            try await host.until("an empty \(folder)") {
                try FileManager.default.contentsOfDirectory(
                    atPath: host.state.file("points/" + folder)
                ).isEmpty
            }
        }
    }

    @Test("an order to roll back ends the capture of a migration; nothing changed, nothing is left")
    func order() async throws {
        let host = try await TestHost()
        try host.start()
        _ = try await host.coordinator.welcome()
        try await host.order(
            .migrate, try host.plan(within: .seconds(60), components: [waiting(host)]))
        let ids = try await programs(host)
        let begun = ContinuousClock.now
        try await host.order(.rollback)
        _ = try await host.coordinator.report(.rolledBack)
        #expect(begun.duration(to: .now) < .seconds(10))
        #expect(!host.coordinator.reports.contains { $0.kind == .captured })
        #expect(host.read("/etc/app.conf") == "old\n")
        try await expectNothingLeft(ids, host)
        await host.coordinator.listener.close()
    }

    @Test("who asked over the control socket ends the capture, by its word or by going away")
    func socket() async throws {
        let host = try await TestHost()
        try host.start()
        _ = try await host.coordinator.welcome()
        try await host.until("the socket") { FileManager.default.fileExists(atPath: socket(host)) }
        let request = create([waiting(host)])

        let (stops, stop) = AsyncStream<Void>.makeStream()
        let state = host.state
        async let reply = ask(request, state, stops: stops)
        var ids = try await programs(host)
        stop.yield()
        #expect(try await reply.refusal?.code == "cancelled")
        try await expectNothingLeft(ids, host)

        try FileManager.default.removeItem(atPath: host.path + "/ids")
        let client = Process()
        client.executableURL = URL(fileURLWithPath: TestHost.guardProgram.argv[0])
        let file = host.path + "/components.json"
        try Data(WireJSON.encode([waiting(host)])).write(to: URL(fileURLWithPath: file))
        client.arguments = ["point", "create", "--components", file, "--root", host.path]
        client.standardError = FileHandle.nullDevice
        try client.run()
        ids = try await programs(host)
        kill(client.processIdentifier, SIGKILL)
        client.waitUntilExit()
        try await expectNothingLeft(ids, host)
        #expect(try await ask(create([]), state).refusal?.code == "invalid", "the agent goes on")
        await host.coordinator.listener.close()
    }

    private func socket(_ host: TestHost) -> String { host.state.file("control.sock") }

    @Test("an agent that is told to end takes its capture's program along")
    func agent() async throws {
        let host = try await TestHost()
        let agent = try host.start()
        _ = try await host.coordinator.welcome()
        try await host.order(
            .migrate, try host.plan(within: .seconds(60), components: [waiting(host)]))
        let ids = try await programs(host)
        agent.terminate()
        agent.waitUntilExit()
        try await expectNothingLeft(ids, host)
        await host.coordinator.listener.close()
    }

    @Test("a restore is stopped over the control socket before it changes anything")
    func restore() async throws {
        let host = try await TestHost()
        try host.start()
        _ = try await host.coordinator.welcome()
        try await host.until("the socket") { FileManager.default.fileExists(atPath: socket(host)) }
        let settings = ComponentSpec(
            name: ComponentName(unchecked: "settings"), driver: .config(paths: ["/etc/app.conf"]),
            restart: false)
        // The first capture finds nothing to wait for.
        var thing = waiting(host)
        if case .command(var command) = thing.driver {
            command.capture[2] = "test -e \(host.path)/wait || exit 0; " + command.capture[2]
            thing.driver = .command(command)
        }
        let made = try await ask(create([settings, thing]), host.state)
        let point = try #require(made.points?.points.first)
        try host.write("/etc/app.conf", "changed\n")
        try host.write("/wait", "")
        var request = ControlRequest(.point)
        request.point = PointRequest(action: .restore, point: point.id.rawValue)
        let (stops, stop) = AsyncStream<Void>.makeStream()
        let state = host.state
        async let reply = ask(request, state, stops: stops)
        let ids = try await programs(host)
        stop.yield()
        let refusal = try #require(try await reply.refusal)
        #expect(refusal.reason.contains("stopped before anything was changed"), "\(refusal)")
        #expect(host.read("/etc/app.conf") == "changed\n")
        for id in ids { try await host.until("the end of \(id)") { kill(id, 0) != 0 } }
        var list = ControlRequest(.point)
        list.point = PointRequest(action: .list)
        #expect(try await ask(list, state).points?.points.map(\.id) == [point.id])
        try FileManager.default.removeItem(atPath: host.path + "/wait")
        #expect(try await ask(request, state).points?.restore?.changed == 1)
        #expect(host.read("/etc/app.conf") == "old\n")
        await host.coordinator.listener.close()
    }
}
