import Foundation
import Glibc
import Testing

/// `belay-agent point` as an operator on a host with no agent and no coordinator uses it.
@Suite("Rollback points on a host alone")
struct PointTests {
    /// A host below a folder of its own.
    private final class Host {
        let root = "/tmp/belay-points-\(UInt64.random(in: 0 ... .max))"

        init() throws {
            try make("var/lib/belay")
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o700], ofItemAtPath: root + "/var/lib/belay")
            let state = root + "/var/lib/belay/agent.json"
            try #"{"coordinator":"127.0.0.1:1","host":"h1"}"#.write(
                toFile: state, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: state)
            try make("etc/app")
            try make("run")
            try write("etc/app/a", "old\n")
            try write("etc/app/b", "kept\n")
        }

        deinit { try? FileManager.default.removeItem(atPath: root) }

        func make(_ folder: String) throws {
            try FileManager.default.createDirectory(
                atPath: root + "/" + folder, withIntermediateDirectories: true)
        }

        func write(_ name: String, _ text: String) throws {
            try text.write(toFile: root + "/" + name, atomically: true, encoding: .utf8)
        }

        func read(_ name: String) -> String? {
            try? String(contentsOfFile: root + "/" + name, encoding: .utf8)
        }

        func isThere(_ name: String) -> Bool {
            FileManager.default.fileExists(atPath: root + "/" + name)
        }

        /// Point `first`, whose restore waits as it stops the service, and a change after it.
        func captureAndChange() async throws {
            try write("run/up", "")
            let components = try components(waits: "stop")
            try #require(
                try await point("create", "--components", components, "--name", "first").status
                    == 0)
            try write("etc/app/a", "new\n")
        }

        func point(_ arguments: String...) async throws -> ChildProcess.Output {
            try await ChildProcess.run(
                "belay-agent", ["point"] + arguments + ["--root", root])
        }

        /// The same, left running.
        func begin(_ arguments: String...) throws -> ChildProcess {
            try ChildProcess(
                "belay-agent", ["point"] + arguments + ["--root", root], log: root + "/log")
        }

        /// A component of the tree, and a service whose commands wait for `run/gate`, saying so by
        /// `run/NAME-waits`, when `waits` names them.
        func components(waits: String) throws -> String {
            func command(_ name: String, _ then: String) -> String {
                let wait =
                    name == waits
                    ? "touch \(root)/run/\(name)-waits; "
                        + "while ! test -e \(root)/run/gate; do sleep 0.05; done; " : ""
                return #"["/bin/sh", "-c", "\#(wait)\#(then)"]"#
            }
            let text = """
                [{"name": "app", "restart": true, "driver": {"config": {"paths": ["/etc/app"]}}},
                 {"name": "service", "restart": false, "driver": {"service": {
                   "start": \(command("start", "touch \(root)/run/up")),
                   "stop": \(command("stop", "rm -f \(root)/run/up")),
                   "status": \(command("status", "test -e \(root)/run/up || exit 3"))}}}]
                """
            try write("components.json", text)
            return root + "/components.json"
        }
    }

    private struct Reply: Decodable {
        struct Point: Decodable {
            var id: String
            var name: String?
            var reason: String
        }
        struct Restore: Decodable {
            var before: String?
            var changed: Int
            var removed: Int
        }
        var points: [Point]
        var restore: Restore?
    }

    private func reply(_ output: ChildProcess.Output) throws -> Reply {
        try #require(output.status == 0, "\(output.summary)")
        return try JSONDecoder().decode(Reply.self, from: Data(output.out.utf8))
    }

    @Test("capture, change, compare, restore, go back, prune")
    func whole() async throws {
        let host = try Host()
        let made = try reply(
            try await host.point(
                "create", "--path", "/etc/app", "--exclude", "*.log", "--name", "first", "-o",
                "json"))
        #expect(made.points.first?.name == "first")
        try host.write("etc/app/a", "new\n")
        try FileManager.default.removeItem(atPath: host.root + "/etc/app/b")
        try host.write("etc/app/c", "added\n")
        try host.write("etc/app/x.log", "not captured\n")
        let diff = try await host.point("diff", "first")
        #expect(diff.status == 0)
        #expect(diff.out.contains("~ /etc/app/a  [etc-app]"), "\(diff.out)")
        #expect(diff.out.contains("- /etc/app/b  [etc-app]"), "\(diff.out)")
        #expect(diff.out.contains("+ /etc/app/c  [etc-app]"), "\(diff.out)")
        #expect(!diff.out.contains("x.log"), "\(diff.out)")
        let dry = try await host.point("restore", "first", "--dry-run")
        #expect(dry.out.contains("nothing was changed"))
        #expect(host.read("etc/app/a") == "new\n")
        let restored = try reply(try await host.point("restore", "first", "-o", "json"))
        #expect(host.read("etc/app/a") == "old\n" && host.read("etc/app/b") == "kept\n")
        #expect(!host.isThere("etc/app/c") && host.isThere("etc/app/x.log"))
        #expect(restored.restore?.removed == 1)
        let before = try #require(restored.restore?.before)
        let back = try await host.point("restore", before)
        #expect(back.out.contains("to go back: belay-agent point restore "), "\(back.summary)")
        #expect(host.read("etc/app/a") == "new\n" && host.read("etc/app/c") == "added\n")
        #expect(try reply(try await host.point("list", "-o", "json")).points.count == 3)
        #expect(try await host.point("verify", "first", "--deep").status == 0)
        #expect(try await host.point("scrub").status == 0)
        let pruned = try await host.point("prune", "first")
        #expect(pruned.out.contains("removed 1 point, 2 stay"), "\(pruned.summary)")
        #expect(try await host.point("policy", "--keep", "1").status == 0)
        let rest = try await host.point("prune")
        #expect(rest.out.contains("removed 1 point, 1 stays") || rest.out.contains("1 stay"))
        #expect(try reply(try await host.point("list", "-o", "json")).points.count == 1)
    }

    @Test("what cannot be done ends with the code that the table gives")
    func codes() async throws {
        let host = try Host()
        #expect(try await host.point("create").status == 3)
        #expect(try await host.point("show", "nothing").status == 13)
        #expect(try await host.point("restore").status == 5)
        #expect(try await host.point("create", "--path", "/etc/app", "--name", "1st").status == 3)
        #expect(try await host.point("create", "--path", "/etc/app", "--name", "one").status == 0)
        #expect(try await host.point("create", "--path", "/etc/app", "--name", "one").status == 14)
        #expect(try await host.point("create", "--path", "/etc/app", "--name", "two").status == 0)
        #expect(try await host.point("show", "2").status == 3)
        #expect(try await host.point("restore", "one", "--component", "none").status == 13)
        #expect(try await host.point("policy", "--keep", "0").status == 5)
        let packs = host.root + "/var/lib/belay/points/packs"
        for name in try FileManager.default.contentsOfDirectory(atPath: packs) {
            try FileManager.default.removeItem(atPath: packs + "/" + name)
        }
        #expect(try await host.point("verify", "one").status == 6)
    }

    @Test("killed in the middle of a capture nothing of it is left, and the next one is whole")
    func killedCapture() async throws {
        let host = try Host()
        let components = try host.components(waits: "status")
        let child = try host.begin("create", "--components", components, "--name", "first")
        try await eventually("the capture waits") { host.isThere("run/status-waits") }
        try await child.killNow()
        try host.write("run/gate", "")
        #expect(try reply(try await host.point("list", "-o", "json")).points.isEmpty)
        let again = try reply(
            try await host.point(
                "create", "--components", components, "--name", "first", "-o", "json"))
        #expect(again.points.first?.name == "first")
        #expect(try await host.point("verify", "first", "--deep").status == 0)
    }

    @Test("Ctrl-C ends a capture and the programs that it runs; nothing of it is left")
    func interruptedCapture() async throws {
        let host = try Host()
        try host.write(
            "components.json",
            """
            [{"name": "thing", "restart": false, "driver": {"command": {"capture":
              ["/bin/sh", "-c", "trap '' TERM; sleep 300 & echo $$ $! > \(host.root)/run/new; \
            mv \(host.root)/run/new \(host.root)/run/ids; while :; do wait; done"],
              "restore": ["/bin/false"], "env": {}, "data": false}}}]
            """)
        let child = try host.begin("create", "--components", host.root + "/components.json")
        try await eventually("the program runs") { host.isThere("run/ids") }
        let ids = (host.read("run/ids") ?? "").split(whereSeparator: \.isWhitespace)
            .compactMap { pid_t($0) }
        try #require(ids.count == 2)
        child.signal(SIGINT)
        // The program heeds no TERM, and so is killed.
        #expect(try await child.wait(within: .seconds(20)) == 130)
        for id in ids { try await eventually("process \(id) is gone") { kill(id, 0) != 0 } }
        #expect(try reply(try await host.point("list", "-o", "json")).points.isEmpty)
        for folder in ["packs", "tmp"] {
            let path = host.root + "/var/lib/belay/points/" + folder
            #expect(try FileManager.default.contentsOfDirectory(atPath: path).isEmpty)
        }
    }

    @Test("Ctrl-C in a restore that has changed nothing yet leaves the host as it is")
    func interruptedRestore() async throws {
        let host = try Host()
        try await host.captureAndChange()
        let child = try host.begin("restore", "first")
        try await eventually("the restore waits") { host.isThere("run/stop-waits") }
        child.signal(SIGINT)
        try await eventually("it heard") { host.read("log")?.contains("stopping") == true }
        try host.write("run/gate", "")
        #expect(try await child.wait() != 0)
        #expect(host.read("etc/app/a") == "new\n")
        #expect(host.isThere("run/up"), "the service that it had stopped runs again")
        let again = try await host.point("restore", "first")
        #expect(again.status == 0, "\(again.summary)")
        #expect(host.read("etc/app/a") == "old\n")
    }

    @Test("killed in the middle of a restore it goes on at the next command, and ends whole")
    func killedRestore() async throws {
        let host = try Host()
        try await host.captureAndChange()
        try host.write("etc/app/c", "added\n")
        let child = try host.begin("restore", "first")
        try await eventually("the restore waits") { host.isThere("run/stop-waits") }
        try await child.killNow()
        // Nobody has said yet that the host is as it was.
        let status = try await ChildProcess.run("belay-agent", ["status", "--root", host.root])
        #expect(status.out.contains(#""phase":"restoring""#), "\(status.summary)")
        try host.write("run/gate", "")
        let again = try await host.point("restore", "first")
        #expect(again.status == 0, "\(again.summary)")
        #expect(host.read("etc/app/a") == "old\n" && !host.isThere("etc/app/c"))
        #expect(host.isThere("run/up"))
        let ended = try await ChildProcess.run("belay-agent", ["status", "--root", host.root])
        #expect(ended.out.contains(#""phase":"done""#), "\(ended.summary)")
    }
}
