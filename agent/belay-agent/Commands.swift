import AgentRuntime
import ArgumentParser
import FleetWire
import Glibc
import Logging
import ServiceLifecycle
import UnixSignals

struct EnrolCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enroll", abstract: "Make this host part of a fleet.")
    @OptionGroup var options: StateOptions
    @Option(help: "The coordinator, HOST:PORT.") var coordinator: String
    @Option(help: "The token, a file that holds it, or - for stdin.") var token: String
    @Option(help: "The host's id; its hostname unless given.") var host: String?

    func run() async throws {
        let name = host ?? HostFacts.gather()["hostname"] ?? ""
        guard let id = HostID(name) else {
            throw AgentError(
                "\(name) is no host id", remedy: "use 1 to 128 of [A-Za-z0-9._-] with --host",
                exitCode: 5)
        }
        try await Enrolment.enrol(
            options.directory, coordinator: coordinator, host: id, token: try readToken())
        print("\(id) is enrolled at \(coordinator); start it with `belay-agent run`")
    }

    private func readToken() throws -> String {
        var text = token
        if token == "-" {
            text = readLine() ?? ""
        } else if !token.hasPrefix("belay-enroll-"), let bytes = StateDirectory.read(path: token) {
            text = String(decoding: bytes, as: UTF8.self)
        }
        return String(text.split(whereSeparator: \.isWhitespace).first ?? "")
    }
}

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Serve the coordinator until SIGTERM.")
    @OptionGroup var options: StateOptions

    func run() async throws {
        let logger = options.logger()
        try ValidatorSettings.requireSound(options.directory)
        let agent = try Agent(state: options.directory, logger: logger)
        // A stop leaves a running step cut off: the next start, or the guard, takes the host back.
        var configuration = ServiceGroupConfiguration(
            services: [AgentService(agent: agent)], gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(10)
        configuration.maximumCancellationDuration = .seconds(20)
        try await ServiceGroup(configuration: configuration).run()
    }
}

private struct AgentService: Service {
    let agent: Agent
    func run() async throws {
        await cancelWhenGracefulShutdown {
            do {
                try await agent.run()
            } catch is CancellationError {
            } catch {
                Output.complain((error as? AgentError)?.lines ?? "\(error)")
                Glibc.exit((error as? AgentError)?.exitCode ?? 1)
            }
        }
    }
}

struct GuardCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "guard", abstract: "Watch an armed transaction; started by the agent.",
        shouldDisplay: false)
    @OptionGroup var options: StateOptions
    @Flag(help: "Stay and watch; without it a process that does is started.") var watch = false

    func run() async throws {
        let directory = options.directory
        guard watch else {
            var argv = ["/proc/self/exe", "guard", "--watch", "--state", directory.path]
            if !directory.root.isEmpty { argv += ["--root", directory.root] }
            _ = try GuardProcess.spawn(argv, log: directory.file("guard/guard.log"))
            return
        }
        try await GuardWatch(directory).run()
    }
}

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Say how the agent and its rollouts stand, as JSON.")
    @OptionGroup var options: StateOptions

    func run() async throws {
        let reply = try await ControlClient.ask(
            ControlRequest(.status), options.directory, logger: options.logger())
        if let refusal = reply.refusal { throw Output.refuse(refusal) }
        try Output.json(reply.status)
    }
}

struct RollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Take this host back, with no coordinator.")
    @OptionGroup var options: StateOptions
    @Option(help: "The point to restore; the rollout's own unless given.") var to: String?
    @Option(help: "full, component=NAME, flags, config or data.") var scope = "full"
    @Option(help: "The rollout; the newest that changed the host unless given.")
    var rollout: String?
    @Flag(help: "Also if the host began a step that cannot be taken back; needs --reason.")
    var acrossPointOfNoReturn = false
    @Option(help: "Why; kept in the journal and told to the coordinator.") var reason: String?

    func validate() throws {
        if acrossPointOfNoReturn, reason?.contains(where: { !$0.isWhitespace }) != true {
            throw ValidationError("--across-point-of-no-return needs --reason")
        }
    }

    func run() async throws {
        var request = ControlRequest(.rollback)
        request.acrossPointOfNoReturn = acrossPointOfNoReturn ? true : nil
        request.reason = reason
        guard let parsed = RollbackScope(scope) else {
            throw ValidationError("\(scope) is no scope")
        }
        request.scope = parsed
        request.to = try to.map(FileArgument.point)
        request.rollout = try rollout.map {
            guard let id = RolloutID($0) else { throw ValidationError("\($0) is no rollout") }
            return id
        }
        let reply = try await ControlClient.ask(
            request, options.directory, logger: options.logger())
        if let refusal = reply.refusal { throw Output.refuse(refusal) }
        print(reply.outcome ?? "")
    }
}

/// Arguments that name files or points.
enum FileArgument {
    static func read<Value: Decodable>(_ type: Value.Type, _ path: String) throws -> Value {
        guard let bytes = StateDirectory.read(path: path) else {
            throw AgentError("\(path) cannot be read", exitCode: 13)
        }
        do {
            return try WireJSON.decode(type, from: bytes)
        } catch {
            throw AgentError(
                "\(path) is malformed: \(error)",
                remedy: "write it as JSON; belay-agent reads no YAML", exitCode: 3)
        }
    }

    static func point(_ text: String) throws -> PointID {
        guard let id = PointID(text) else { throw ValidationError("\(text) is no point") }
        return id
    }
}
