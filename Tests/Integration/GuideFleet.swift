import Foundation
import Glibc

/// What a guide's commands run against: real processes in a folder of its own that stands for a
/// coordinator and three hosts.
///
/// `belay-agent` gets the `--root` of the host that a block is on, `belay-coordinator` its `--state`;
/// the names and paths of `stands` become those of the test. Folder and exported variables are
/// carried from block to block, as in the shell of a reader.
final class GuideFleet {
    static let hosts = ["web-1", "web-2", "web-3"]
    /// Variables that are carried from block to block; another one is unbound in the next.
    private static let carried = "^(BELAY_[A-Z]+|GUIDE_ROOT|FIRST|ROLLOUT|POINT|DIGEST)$"

    let folder: URL
    private var agentsAddress = "127.0.0.1:0"
    private var api = "127.0.0.1:0"
    private var coordinator: ChildProcess?
    private var agents: [String: ChildProcess] = [:]

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "belay-guide-\(UUID().uuidString.prefix(8))")
        try make("bin")
        try make("desk")
        for host in Self.hosts {
            for path in ["etc", "opt", "var/lib"] { try make("hosts/\(host)/\(path)") }
        }
        try script(
            "belay-agent",
            """
            case "$1" in -*) ;; *) set -- "$@" --root "$GUIDE_ROOT" ;; esac
            exec '\(ChildProcess.binaries)/belay-agent' "$@"
            """)
        try script(
            "belay-coordinator",
            """
            case "$*" in -*|*--state*) ;; *) set -- "$@" --state '\(state)' ;; esac
            exec '\(ChildProcess.binaries)/belay-coordinator' "$@"
            """)
        try Data().write(to: folder.appendingPathComponent("environment"))
        try Data(path("desk").utf8).write(to: folder.appendingPathComponent("here"))
    }

    var state: String { path("coordinator") }
    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    private func make(_ name: String) throws {
        try FileManager.default.createDirectory(
            atPath: path(name), withIntermediateDirectories: true)
    }

    private func script(_ name: String, _ text: String) throws {
        let file = path("bin/\(name)")
        try Data("#!/bin/sh\n\(text)\n".utf8).write(to: URL(fileURLWithPath: file))
        chmod(file, 0o755)
    }

    /// Names and paths of the guides, and what they are here.
    private var stands: [(String, String)] {
        [
            ("coordinator.example.com:7430", agentsAddress), ("coordinator.example.com:7431", api),
            ("/etc/belay/authority.pem", state + "/authority.pem"),
            ("/var/lib/belay-coordinator", state),
        ]
    }

    /// Does what a block says; throws when it did not end as it should.
    func carryOut(_ block: GuidePage.Block) async throws {
        switch block.kind {
        case .skipped: break
        case .file(let name):
            try Data(block.text.utf8).write(to: URL(fileURLWithPath: path("desk/\(name)")))
        case .action(let action): try await perform(action, at: block.place)
        case .run(let host, let expected, let types):
            let done = try await shell(block.text, host: host, types: types)
            guard done.status == expected else {
                throw Trouble(
                    "\(block.place) should exit \(expected)\n\(block.text)\(done.summary)")
            }
        }
    }

    private func shell(
        _ text: String, host: String?, types: String?
    ) async throws -> ChildProcess.Output {
        let block = stands.reduce(text) { $0.replacingOccurrences(of: $1.0, with: $1.1) }
        let file = path("block")
        try Data(
            """
            set -a; . '\(path("environment"))'; set +a
            cd "$(cat '\(path("here"))')"
            trap 'code=$?; declare -p $(compgen -v | grep -E "\(Self.carried)") > \
            "\(path("environment"))"; pwd > "\(path("here"))"; exit $code' EXIT
            export PATH='\(path("bin")):\(ChildProcess.binaries)':"$PATH" NO_COLOR=1
            export GUIDE_ROOT='\(path("hosts/" + (host ?? "nowhere")))'
            set -euo pipefail
            \(block)
            """.utf8
        ).write(to: URL(fileURLWithPath: file))
        guard let types else { return try await ChildProcess.run("/bin/bash", [file]) }
        return try await ChildProcess.run(
            "/usr/bin/script", ["-qec", "/bin/bash '\(file)'", "/dev/null"], input: types + "\n")
    }

    private func perform(_ action: String, at place: String) async throws {
        let words = action.split(separator: " ").map(String.init)
        switch (words.first, words.last) {
        case ("coordinator", "starts"): try await startCoordinator()
        case ("coordinator", "stops"): await stop(&coordinator)
        case ("agents", "start"): for host in Self.hosts { try await startAgent(host) }
        case ("agent", "starts") where words.count == 3: try await startAgent(words[1])
        case ("agent", "stops") where words.count == 3: await stop(&agents[words[1]])
        default: throw Trouble("\(place): there is no action \"\(action)\"")
        }
    }

    private func stop(_ process: inout ChildProcess?) async {
        process?.signal(SIGTERM)
        _ = await process?.wait()
        process = nil
    }

    private func startCoordinator() async throws {
        let ready = state + "/coordinator.json"
        try? FileManager.default.removeItem(atPath: ready)
        let child = try ChildProcess(
            "belay-coordinator",
            ["run", "--state", state, "--agents", agentsAddress, "--api", api],
            log: path("coordinator.log"))
        coordinator = child
        try await eventually("the coordinator of the guide listens") {
            guard child.isRunning else { throw Trouble("coordinator: \(self.tail("coordinator"))") }
            guard let data = FileManager.default.contents(atPath: ready),
                let ports = try? JSONSerialization.jsonObject(with: data) as? [String: Any],
                let agents = ports["agents"] as? String, let api = ports["api"] as? String
            else { return false }
            self.agentsAddress = agents
            self.api = api
            return true
        }
        for (host, agent) in agents where agent.isRunning { try await connected(host) }
    }

    private func startAgent(_ host: String) async throws {
        guard agents[host]?.isRunning != true else { return }
        agents[host] = try ChildProcess(
            "belay-agent", ["run", "--root", path("hosts/\(host)")], log: path("\(host).log"))
        try await connected(host)
    }

    private func connected(_ host: String) async throws {
        try await eventually("\(host) is connected, see \(tail(host))") {
            let status = try await ChildProcess.run(
                "belay-agent", ["status", "--root", path("hosts/\(host)")])
            return status.out.contains(#""is_connected":true"#)
        }
    }

    func tail(_ name: String) -> String {
        let text = FileManager.default.contents(atPath: path("\(name).log")) ?? Data()
        return String(decoding: text.suffix(2000), as: UTF8.self)
    }

    /// Ends all processes, guards included, and removes the folder.
    func end() async {
        for agent in agents.values { await agent.killNow() }
        await coordinator?.killNow()
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        for pid in all.compactMap({ Int32($0) }) where pid != getpid() {
            let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
            if String(decoding: line, as: UTF8.self).contains(folder.lastPathComponent) {
                kill(pid, SIGKILL)
            }
        }
        try? FileManager.default.removeItem(at: folder)
    }
}
