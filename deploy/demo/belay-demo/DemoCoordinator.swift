import FleetWire
import Glibc
import Synchronization

/// The coordinator of the demo: started, killed, started again on the same ports.
final class DemoCoordinator: Sendable {
    /// `STATE/coordinator.json`.
    private struct Listening: Decodable {
        var agents: String
        var api: String
        var pid: Int32
    }

    private struct State {
        var child: ChildProcess?
        var agents: String
        var api: String
    }

    private let layout: DemoLayout
    private let programs: Programs
    private let state: Mutex<State>

    init(layout: DemoLayout, programs: Programs, agentsPort: Int, apiPort: Int) {
        self.layout = layout
        self.programs = programs
        state = Mutex(State(agents: "127.0.0.1:\(agentsPort)", api: "127.0.0.1:\(apiPort)"))
    }

    var process: ChildProcess? { state.withLock { $0.child } }
    /// Where agents connect.
    var agents: String { state.withLock { $0.agents } }
    /// Where operators connect.
    var api: String { state.withLock { $0.api } }
    private var listening: String { "\(layout.coordinator)/coordinator.json" }

    /// Makes the authority; gives the first token of an administrator.
    func initialise() async throws -> String {
        let output = try await programs.runToSuccess(
            "coordinator-init",
            [
                layout.program("belay-coordinator"), "init", "--state", layout.coordinator,
                "--name", "demo", "--address", "127.0.0.1",
            ])
        let words = output.split(whereSeparator: \.isWhitespace)
        guard let token = words.last(where: { $0.hasPrefix("belay_") }) else {
            throw DemoFailure("belay-coordinator init printed no token: \(output)")
        }
        return String(token)
    }

    /// Starts it, always on the same ports, and waits until it listens.
    func start() async throws {
        let (agents, api) = state.withLock { ($0.agents, $0.api) }
        let child = try programs.start(
            "coordinator",
            [
                layout.program("belay-coordinator"), "run", "--state", layout.coordinator,
                "--agents", agents, "--api", api,
            ])
        let found = try await Waiting.until("the coordinator to listen", seconds: 60) {
            guard child.exitCode == nil else {
                throw DemoFailure("the coordinator ended; see \(layout.logs)/coordinator.log")
            }
            guard let text = TextFile.read(listening) else { return Listening?.none }
            let found = try? WireJSON.decode(Listening.self, from: Array(text.utf8))
            return found?.pid == child.pid ? found : nil
        }
        state.withLock { $0 = State(child: child, agents: found.agents, api: found.api) }
    }

    /// Ends it as a failing machine would: with SIGKILL.
    func kill() async throws {
        guard let child = process else { throw DemoFailure("there is no coordinator to kill") }
        child.signal(SIGKILL)
        _ = try await child.wait(seconds: 5)
    }
}
