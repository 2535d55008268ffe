import FleetWire
import Foundation
import Glibc
import OperatorAPI
import RolloutCore

/// A coordinator and some agents as real processes on loopback, each host under a folder of its own.
final class TestFleet {
    /// A small service's files below a host's root.
    static let skeleton = [
        "etc/app/app.conf": "version=1\nworkers=2\n",
        "etc/app/flags.json": """
        {"flags": {"fast": {"state": "ENABLED", "variants": {"on": true, "off": false}, \
        "defaultVariant": "off"}}}

        """,
        "opt/app/release": "1\n",
        "opt/app/data/rows.csv": "a,b\n1,2\n",
    ]

    /// What a fleet may have that is out of the ordinary.
    struct Options {
        /// Arguments of `belay-coordinator run`.
        var coordinator: [String] = []
        /// Small disks (tmpfs, so only as root): a path below the fleet's folder to its bytes.
        var disks: [String: Int] = [:]
        /// Agents dial through a relay that the test can make damage what it carries.
        var relayed = false
    }

    let folder: URL
    let hosts: [String]
    let options: Options
    private(set) var api = ""
    private(set) var agentsAddress = ""
    private(set) var token = ""
    var coordinator: ChildProcess?
    var agents: [String: ChildProcess] = [:]
    private(set) var relay: Relay?
    private var disks: [SmallDisk] = []

    /// Hosts with the zone that is the first letter of their names.
    init(hosts: [String], options: Options = Options()) async throws {
        self.hosts = hosts
        self.options = options
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "belay-it-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        do { try await start() } catch {
            await stop()
            throw error
        }
    }

    private func start() async throws {
        for (path, bytes) in options.disks {
            disks.append(
                try SmallDisk(at: folder.appendingPathComponent(path).path, bytes: bytes))
        }
        let made = try await ChildProcess.run(
            "belay-coordinator", ["init", "--state", state, "--address", "127.0.0.1"])
        guard made.status == 0 else { throw Trouble("init: \(made.summary)") }
        guard let line = made.out.split(separator: "\n").first(where: { $0.contains("belay_") }),
            let word = line.split(separator: " ").first(where: { $0.hasPrefix("belay_") })
        else { throw Trouble("init printed no token: \(made.summary)") }
        token = String(word)
        try await startCoordinator()
        if options.relayed { relay = try Relay(to: agentsAddress) }
        for host in hosts { try await enrol(host) }
        for host in hosts { try startAgent(host) }
        try await allConnected()
    }

    var state: String { folder.appendingPathComponent("coordinator").path }
    func root(_ host: String) -> URL { folder.appendingPathComponent("hosts/\(host)") }
    func log(_ name: String) -> String { folder.appendingPathComponent("\(name).log").path }

    /// Starts the coordinator without waiting for it; it need not live long enough to listen.
    func launchCoordinator(environment: [String: String]) throws -> ChildProcess {
        try ChildProcess(
            "belay-coordinator",
            ["run", "--state", state, "--agents", agentsAddress, "--api", api]
                + options.coordinator, environment: environment, log: log("coordinator"))
    }

    func startCoordinator(state other: String? = nil) async throws {
        let state = other ?? self.state
        let ready = state + "/coordinator.json"
        try? FileManager.default.removeItem(atPath: ready)
        let fixed = agentsAddress.isEmpty ? "127.0.0.1:0" : agentsAddress
        let fixedAPI = api.isEmpty ? "127.0.0.1:0" : api
        let child = try ChildProcess(
            "belay-coordinator",
            ["run", "--state", state, "--agents", fixed, "--api", fixedAPI] + options.coordinator,
            log: log("coordinator"))
        coordinator = child
        try await eventually("the coordinator listens, see \(log("coordinator"))") {
            guard child.isRunning else { throw Trouble("coordinator: \(self.tail("coordinator"))") }
            guard let data = FileManager.default.contents(atPath: ready),
                let ports = try? JSONSerialization.jsonObject(with: data) as? [String: Any],
                let agents = ports["agents"] as? String, let api = ports["api"] as? String
            else { return false }
            self.agentsAddress = agents
            self.api = api
            return true
        }
    }

    /// Where agents dial.
    var dialled: String { relay?.address ?? agentsAddress }

    private func enrol(_ host: String) async throws {
        let root = root(host)
        for (path, text) in Self.skeleton {
            let file = root.appendingPathComponent(path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        let token = try await self.token(for: host)
        let enrolled = try await enrol(host, at: root, token: token)
        guard enrolled.status == 0 else { throw Trouble("enroll: \(enrolled.summary)") }
    }

    /// A token with which `host` enrols, however often.
    func token(for host: String) async throws -> String {
        let made = try await belay(
            "token", "create", "--uses", "9", "--host", host, "--label",
            "zone=\(host.prefix(1))", "--label", "app=test", "-o", "json")
        guard let token = try made.json()["token"] as? String else { throw Trouble(made.summary) }
        return token
    }

    /// Enrols a host under a folder of the caller's choice.
    func enrol(
        _ host: String, at root: URL, token: String, coordinator: String? = nil,
        environment: [String: String] = [:]
    ) async throws -> ChildProcess.Output {
        try await ChildProcess.run(
            "belay-agent",
            [
                "enroll", "--coordinator", coordinator ?? dialled, "--token", token, "--host", host,
                "--root", root.path,
            ], environment: environment)
    }

    func startAgent(_ host: String, environment: [String: String] = [:]) throws {
        agents[host] = try ChildProcess(
            "belay-agent", ["run", "--root", root(host).path], environment: environment,
            log: log(host))
    }

    /// A host as the coordinator shows it.
    func view(_ host: String) async throws -> HostView {
        let shown = try await belay("host", "show", host, "-o", "json")
        guard shown.status == 0 else { throw Trouble(shown.summary) }
        return try WireJSON.decode(HostView.self, from: Array(shown.out.utf8))
    }

    func allConnected() async throws {
        try await eventually("all agents are connected") {
            let listed = try await belay("host", "list", "-o", "json")
            guard listed.status == 0 else { return false }
            let views = try WireJSON.decode([HostView].self, from: Array(listed.out.utf8))
            return views.count == hosts.count && views.allSatisfy(\.connected)
        }
    }

    /// Runs the operator's command line.
    func belay(_ arguments: String...) async throws -> ChildProcess.Output {
        try await belay(arguments)
    }

    func belay(_ arguments: [String]) async throws -> ChildProcess.Output {
        try await ChildProcess.run(
            "belay", arguments,
            environment: [
                "BELAY_ADDR": "https://\(api)", "BELAY_TOKEN": token,
                "BELAY_CACERT": state + "/authority.pem", "NO_COLOR": "1",
            ])
    }

    /// Writes a plan and gives its path.
    func plan(_ text: String, named name: String = "plan") throws -> String {
        let path = folder.appendingPathComponent("\(name).yaml").path
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    func rollouts() async throws -> [RolloutSummary] {
        let listed = try await belay("rollout", "list", "-o", "json")
        guard listed.status == 0 else { throw Trouble(listed.summary) }
        return try WireJSON.decode([RolloutSummary].self, from: Array(listed.out.utf8))
    }

    /// The newest rollout, once it has ended.
    func ended(within limit: Duration = .seconds(60)) async throws -> RolloutView {
        var last: RolloutSummary?
        try await eventually("the rollout ends", within: limit) {
            last = try? await rollouts().max { $0.createdAt < $1.createdAt }
            return last?.endedAt != nil
        }
        guard let last else { throw Trouble("there is no rollout") }
        let shown = try await belay("rollout", "show", last.id.rawValue, "-o", "json")
        guard shown.status == 0 else { throw Trouble(shown.summary) }
        return try WireJSON.decode(RolloutView.self, from: Array(shown.out.utf8))
    }

    /// What a host holds outside of `var`, where Belay's own folder and the test's log of steps
    /// are: path to mode, owner, modification time and content.
    func tree(_ host: String) throws -> [String: String] {
        let base = root(host).path + "/"
        var found: [String: String] = [:]
        let walk = FileManager.default.enumerator(atPath: base)
        while let path = walk?.nextObject() as? String {
            if path == "var" || path.hasPrefix("var/") { continue }
            var info = stat()
            guard lstat(base + path, &info) == 0 else { continue }
            let content =
                info.st_mode & S_IFMT == S_IFREG
                ? (FileManager.default.contents(atPath: base + path) ?? Data())
                    .base64EncodedString()
                : ""
            let time =
                info.st_mode & S_IFMT == S_IFDIR
                ? "" : "\(info.st_mtim.tv_sec).\(info.st_mtim.tv_nsec)"
            found[path] = "\(String(info.st_mode, radix: 8)) \(info.st_uid) \(time) \(content)"
        }
        return found
    }

    func read(_ host: String, _ path: String) -> String? {
        FileManager.default.contents(atPath: root(host).appendingPathComponent(path).path)
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// What an agent leaves that is killed while it writes the flags of `TestPlan`.
    func leaveBesideFlags(_ host: String) throws {
        try Data("{".utf8).write(
            to: root(host).appendingPathComponent("etc/app/flags.json.belay-new"))
    }

    /// All that a process has logged.
    func logged(_ name: String) -> String {
        String(decoding: FileManager.default.contents(atPath: log(name)) ?? Data(), as: UTF8.self)
    }

    func tail(_ name: String) -> String { String(logged(name).suffix(3000)) }

    /// Ends all processes, guards included, and removes the folder.
    func stop() async {
        for agent in agents.values { try? await agent.killNow() }
        try? await coordinator?.killNow()
        for pid in processesOfThisFleet() { kill(pid, SIGKILL) }
        relay?.stop()
        for disk in disks { disk.remove() }
        try? FileManager.default.removeItem(at: folder)
    }

    /// Processes that name this fleet's folder: guards that outlived their agents.
    func processesOfThisFleet() -> [Int32] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return all.compactMap { Int32($0) }.filter { pid in
            let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
            return pid != getpid()
                && String(decoding: line, as: UTF8.self).contains(folder.lastPathComponent)
        }
    }
}

extension ChildProcess.Output {
    func json() throws -> [String: Any] {
        guard let object = try? JSONSerialization.jsonObject(with: Data(out.utf8)),
            let dictionary = object as? [String: Any]
        else { throw Trouble("not a JSON object: \(summary)") }
        return dictionary
    }
}

/// Runs `body` with a fleet that is stopped whatever happens.
func withFleet(
    _ hosts: [String], _ options: TestFleet.Options = .init(),
    _ body: (TestFleet) async throws -> Void
) async throws {
    let fleet = try await TestFleet(hosts: hosts, options: options)
    do { try await body(fleet) } catch {
        let tails = (["coordinator"] + hosts).map { "--- \($0)\n\(fleet.tail($0))" }
        await fleet.stop()
        throw Trouble("\(error)\n\(tails.joined(separator: "\n"))")
    }
    await fleet.stop()
}
