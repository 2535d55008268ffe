import FoundationEssentials
import Glibc
import Synchronization

/// One host of the demo: a folder that stands for its `/`, a service and an agent.
final class DemoHost: Sendable {
    let id: String
    let zone: String
    let port: Int
    /// The folder that stands for `/`.
    let root: String
    private let programs: Programs
    private let layout: DemoLayout
    private let agentProcess = Mutex<ChildProcess?>(nil)

    init(id: String, zone: String, port: Int, layout: DemoLayout, programs: Programs) {
        self.id = id
        self.zone = zone
        self.port = port
        self.layout = layout
        self.programs = programs
        root = "\(layout.hosts)/\(id)"
    }

    var agent: ChildProcess? { agentProcess.withLock { $0 } }
    var catalog: String { "\(root)/var/lib/registry/catalog.db" }
    var settings: String { "\(root)/etc/registry/registry.yaml" }
    var flags: String { "\(root)/etc/registry/flags.json" }
    private var service: String { "\(root)/opt/registry/current/service" }

    /// Lays out the files of release 1 with its configuration and flags.
    ///
    /// Nothing may be started meanwhile: a child would inherit the copy's open file for a moment,
    /// and a program that somebody has open for writing cannot be started.
    func layOut(release: String) throws {
        for folder in [
            "etc/registry", "opt/registry/releases", "var/lib/registry/datasets", "var/log", "run",
            "var/backups/registry",
        ] {
            try TextFile.makeDirectory("\(root)/\(folder)")
        }
        try TextFile.copy(release, to: "\(root)/opt/registry/releases/1.0.0")
        guard symlink("releases/1.0.0", "\(root)/opt/registry/current") == 0 else {
            throw DemoFailure("cannot make \(root)/opt/registry/current")
        }
        guard let template = TextFile.read("\(layout.sources)/host/registry-1.yaml") else {
            throw DemoFailure("cannot read \(layout.sources)/host/registry-1.yaml")
        }
        try TextFile.write(
            template.replacing("{{ labels.port }}", with: "\(port)"), to: settings)
        try TextFile.copy("\(layout.sources)/host/flags.json", to: flags)
    }

    /// Makes catalog and datasets, and starts the service.
    func furnish(datasets: [String]) async throws {
        let registry = "\(root)/opt/registry/current/registry"
        _ = try await programs.runToSuccess("init-\(id)", [registry, "init", "--config", settings])
        _ = try await programs.runToSuccess(
            "register-\(id)", [registry, "register", "--config", settings] + datasets)
        _ = try await programs.runToSuccess("service-\(id)", [service, "start"])
    }

    /// Enrols with a token and starts the agent.
    func join(coordinator: String, token: String) async throws {
        _ = try await programs.runToSuccess(
            "enroll-\(id)",
            [
                layout.program("belay-agent"), "enroll", "--coordinator", coordinator, "--token",
                token, "--host", id, "--root", root,
            ])
        try startAgent()
    }

    /// Starts the agent; it must not run.
    func startAgent() throws {
        let child = try programs.start(
            "agent-\(id)", [layout.program("belay-agent"), "run", "--root", root])
        agentProcess.withLock { $0 = child }
    }

    /// The process of the service; nil when it does not run.
    var servicePID: pid_t? {
        let fields = (TextFile.read("\(root)/run/registry.pid") ?? "").split(separator: " ")
        return fields.first.flatMap { pid_t(String($0)) }
    }

    /// Stops the service, without waiting for tasks that may be cancelled.
    func stopService() {
        guard let pid = servicePID else { return }
        kill(pid, SIGTERM)
    }

    /// Digests of everything on the host but what is no part of its released state.
    func tree() throws -> HostTree { try HostTree(of: root) }

    /// What the service says of itself.
    func health() async -> ServiceClient.Health? { await ServiceClient.health(port: port) }
}
