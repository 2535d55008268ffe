import AgentRuntime
import FleetTransport
import FleetWire
import Foundation
import Logging
import Testing

/// Rollback points of a running agent, asked for by the coordinator and over the control socket.
@Suite(.timeLimit(.minutes(2))) struct PointTests {
    private let components = [
        ComponentSpec(
            name: ComponentName(unchecked: "settings"), driver: .config(paths: ["/etc/app.conf"]),
            restart: false)
    ]

    private func request(
        _ action: PointRequest.Action, _ point: String? = nil,
        _ fill: (inout PointRequest) -> Void = { _ in }
    ) -> PointRequest {
        var request = PointRequest(action: action, point: point)
        fill(&request)
        return request
    }

    private func created(_ host: TestHost, name: String) async throws -> PointSummary {
        let answer = try await host.coordinator.ask(
            .point,
            request(.create) {
                $0.components = components
                $0.name = name
            })
        try #require(answer.header.type == .points)
        return try #require(try answer.body(PointReply.self).points.first)
    }

    @Test("the coordinator restores a point; what was there before is a point too")
    func restore() async throws {
        let host = try await TestHost()
        try host.start()
        _ = try await host.coordinator.welcome()
        let point = try await created(host, name: "first")
        #expect(point.name == "first")
        try host.write("/etc/app.conf", "changed\n")
        let diff = try await host.coordinator.ask(.point, request(.diff, "first"))
        let changes = try #require(try diff.body(PointReply.self).changes)
        #expect(changes.contains { $0.path == "/etc/app.conf" && $0.change == .content })
        let dry = try await host.coordinator.ask(
            .point, request(.restore, "first") { $0.dryRun = true })
        #expect(try dry.body(PointReply.self).restore?.changed == changes.count)
        #expect(host.read("/etc/app.conf") == "changed\n")
        let answer = try await host.coordinator.ask(.point, request(.restore, "first"))
        let restored = try #require(try answer.body(PointReply.self).restore)
        #expect(host.read("/etc/app.conf") == "old\n")
        let before = try #require(restored.before)
        _ = try await host.coordinator.ask(.point, request(.restore, before.rawValue))
        #expect(host.read("/etc/app.conf") == "changed\n")
        await host.coordinator.listener.close()
    }

    @Test("an older coordinator changes nothing, and may look")
    func staleGeneration() async throws {
        let host = try await TestHost()
        try host.start()
        _ = try await host.coordinator.welcome()
        _ = try await created(host, name: "first")
        try host.write("/etc/app.conf", "changed\n")
        host.coordinator.generation = Generation(rawValue: 2)
        for action in [PointRequest.Action.restore, .create, .prune, .repair] {
            let answer = try await host.coordinator.ask(
                .point, request(action, action == .restore ? "first" : nil))
            #expect(answer.header.type == .refused)
            #expect(try answer.body(Refusal.self).code == "stale_generation", "\(action)")
        }
        #expect(host.read("/etc/app.conf") == "changed\n")
        let list = try await host.coordinator.ask(.point, request(.list))
        #expect(try list.body(PointReply.self).points.count == 1)
        await host.coordinator.listener.close()
    }

    @Test("no restore and no prune of its point while a transaction is open")
    func busy() async throws {
        let host = try await TestHost()
        try host.start()
        _ = try await host.coordinator.welcome()
        let plan = try host.plan(within: .seconds(60))
        try await host.order(.migrate, plan)
        _ = try await host.coordinator.report(.verified)
        let list = try await host.coordinator.ask(.point, request(.list))
        let point = try #require(try list.body(PointReply.self).points.last)
        #expect(point.inUse?.contains("r1") == true)
        let restore = try await host.coordinator.ask(.point, request(.restore, point.id.rawValue))
        #expect(try restore.body(Refusal.self).code == "busy")
        let prune = try await host.coordinator.ask(.point, request(.prune, point.id.rawValue))
        #expect(try prune.body(Refusal.self).code == "in_use")
        #expect(host.read("/etc/app.conf") == "new\n")
        await host.coordinator.listener.close()
    }

    @Test("pages of a point's entries come one after the other")
    func pages() async throws {
        let host = try await TestHost()
        try FileManager.default.createDirectory(
            atPath: host.path + "/many", withIntermediateDirectories: false)
        let long = String(repeating: "n", count: 200)
        for number in 0..<1500 { try host.write("/many/\(long)\(number)", "") }
        try host.start()
        _ = try await host.coordinator.welcome()
        _ = try await host.coordinator.ask(
            .point,
            request(.create) {
                $0.components = [
                    ComponentSpec(
                        name: ComponentName(unchecked: "many"), driver: .config(paths: ["/many"]),
                        restart: false)
                ]
                $0.name = "many"
            })
        var entries: [String] = []
        var more = 1
        while more > 0 {
            let answer = try await host.coordinator.ask(
                .point, request(.show, "many") { $0.skip = entries.count })
            let reply = try answer.body(PointReply.self)
            entries += reply.entries ?? []
            more = try #require(reply.more)
        }
        #expect(entries.count == 1501)
        #expect(Set(entries).count == 1501)

        // The socket streams them all.
        let lines = Lines()
        var control = ControlRequest(.point)
        control.point = request(.show, "many")
        let reply = try await ControlClient.ask(
            control, host.state, logger: Logger(label: "test"),
            update: { lines.add($0.entries ?? []) })
        #expect(reply.refusal == nil)
        #expect(lines.all == entries)
        await host.coordinator.listener.close()
    }

    @Test("points need no enrolment, and none that can be read", arguments: [false, true])
    func unenrolled(isDamaged: Bool) async throws {
        let root = "/tmp/belay-host-\(UInt64.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: root) }
        try FileManager.default.createDirectory(
            atPath: root + "/etc", withIntermediateDirectories: true)
        let state = StateDirectory(root: root, state: root + "/state")
        if isDamaged {
            try state.make()
            try state.write(Array("{".utf8), to: "agent.json")
        }
        let file = root + "/etc/app.conf"
        func ask(_ request: PointRequest) async throws -> PointReply {
            var control = ControlRequest(.point)
            control.point = request
            let reply = try await ControlClient.ask(
                control, state, logger: Logger(label: "test"))
            #expect(reply.refusal == nil)
            return try #require(reply.points)
        }
        try "old".write(toFile: file, atomically: true, encoding: .utf8)
        var create = PointRequest(action: .create)
        create.components = [
            ComponentSpec(
                name: ComponentName(unchecked: "etc"), driver: .config(paths: ["/etc"]),
                restart: false)
        ]
        let point = try #require(try await ask(create).points.first)
        try "new".write(toFile: file, atomically: true, encoding: .utf8)
        _ = try await ask(PointRequest(action: .restore, point: point.id.rawValue))
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "old")
        #expect(try await ask(PointRequest(action: .list)).points.count == 2)
        await #expect(throws: AgentError.self) {
            try await ControlClient.ask(
                ControlRequest(.status), state, logger: Logger(label: "test"))
        }
    }

    @Test("damage that a verification finds is in status and in the heartbeats")
    func damage() async throws {
        let host = try await TestHost()
        try host.start()
        _ = try await host.coordinator.welcome()
        _ = try await created(host, name: "first")
        let packs = host.state.file("points/packs")
        for name in try FileManager.default.contentsOfDirectory(atPath: packs) {
            let handle = try #require(FileHandle(forUpdatingAtPath: packs + "/" + name))
            let size = try handle.seekToEnd()
            try handle.seek(toOffset: size / 4)
            try handle.write(contentsOf: Data(repeating: 0xFF, count: Int(size / 2)))
            try handle.close()
        }
        let verified = try await host.coordinator.ask(
            .point, request(.verify, "first") { $0.deep = true })
        #expect(try verified.body(PointReply.self).damaged?.isEmpty == false)
        let beat = try await host.coordinator.heartbeat { $0.troubles != nil }
        #expect(beat.troubles?.first?.kind == "point_damaged")
        #expect(beat.metrics["belay_points_damaged"] == 1)
        let status = try await ControlClient.ask(
            ControlRequest(.status), host.state, logger: Logger(label: "test"))
        #expect(status.status?.troubles.map(\.kind) == ["point_damaged"])
        await host.coordinator.listener.close()
    }

    private final class Lines: @unchecked Sendable {
        private let lock = NSLock()
        private var lines: [String] = []
        func add(_ more: [String]) { lock.withLock { lines += more } }
        var all: [String] { lock.withLock { lines } }
    }
}
