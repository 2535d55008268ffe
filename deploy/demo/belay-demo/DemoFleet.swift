import FleetWire
import OperatorAPI

/// The whole demo: a coordinator, six hosts in three zones, and the command of the operator.
struct DemoFleet: Sendable {
    let layout: DemoLayout
    let programs: Programs
    let coordinator: DemoCoordinator
    let hosts: [DemoHost]
    let cli: OperatorCLI
    let claims: Claims

    /// Makes and starts everything; what was started is in `programs` also when it fails.
    init(layout: DemoLayout, programs: Programs, claims: Claims) async throws {
        self.layout = layout
        self.programs = programs
        self.claims = claims
        let began = ContinuousClock.now
        Narrator.title("Making a fleet in \(layout.shortened(layout.directory))")
        let bundles = ReleaseBundles(layout: layout, programs: programs)
        try await bundles.pack()
        let ports = try FreePorts.find(8)
        let coordinator = DemoCoordinator(
            layout: layout, programs: programs, agentsPort: ports[6], apiPort: ports[7])
        let token = try await coordinator.initialise()
        try await coordinator.start()
        let cli = OperatorCLI(
            layout: layout, programs: programs,
            environment: [
                "BELAY_ADDR": "https://\(coordinator.api)", "BELAY_TOKEN": token,
                "BELAY_CACERT": "\(layout.coordinator)/authority.pem",
            ])
        self.coordinator = coordinator
        self.cli = cli
        hosts = zip(["a", "a", "b", "b", "c", "c"], ports).enumerated().map {
            DemoHost(
                id: "registry-\($1.0)\($0 % 2 + 1)", zone: $1.0, port: $1.1, layout: layout,
                programs: programs)
        }
        try await furnish(bundles)
        try await connect()
        Narrator.line(
            "    six registries 1.0.0 in three zones serve three datasets each; six agents are "
                + "enrolled (\((ContinuousClock.now - began).components.seconds) s)")
    }

    func host(_ id: String) throws -> DemoHost {
        guard let host = hosts.first(where: { $0.id == id }) else {
            throw DemoFailure("there is no host \(id)")
        }
        return host
    }

    /// The plan's file as the operator names it.
    func plan(_ name: String) -> String { "\(layout.plans)/\(name).yaml" }

    /// Trees of all hosts by id, computed side by side.
    func trees() async throws -> [String: HostTree] {
        try await withThrowingTaskGroup(of: (String, HostTree).self) { group in
            for host in hosts { group.addTask { (host.id, try host.tree()) } }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    /// What the services say, by host.
    func healths() async -> [String: ServiceClient.Health] {
        await withTaskGroup(of: (String, ServiceClient.Health?).self) { group in
            for host in hosts { group.addTask { (host.id, await host.health()) } }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    /// Claims that every service is well and of a version.
    func claimAll(_ scene: Int, version: String, schema: Int) async {
        let healths = await healths()
        let right = healths.filter {
            $0.value.status == "ok" && $0.value.version == version && $0.value.schema == schema
        }
        claims.check(
            scene, "all six services answer as \(version) over schema \(schema)",
            right.count == hosts.count, seen: "\(right.count) of \(hosts.count) /healthz answers")
    }

    /// Claims that trees are the same as before.
    func claimSame(
        _ scene: Int, _ claim: String, _ before: [String: HostTree], _ now: [String: HostTree]
    ) {
        let changed = before.keys.sorted().filter { before[$0] != now[$0] }
        let seen = changed.map { id in
            let paths = before[id].flatMap { old in now[id].map { old.differences(to: $0) } } ?? []
            return "\(id): \(paths.joined(separator: ", "))"
        }
        let entries = before.values.reduce(0) { $0 + $1.entries.count }
        claims.check(
            scene, claim, changed.isEmpty && !before.isEmpty,
            seen: changed.isEmpty
                ? "\(entries) entries of \(before.count) hosts, digests equal"
                : seen.joined(separator: "; "))
    }

    /// Claims what users met while hosts were changed.
    func claim(_ scene: Int, _ load: LoadClient.Result, _ when: String) {
        Narrator.line("    failures/requests of users: \(load.counts)")
        claims.check(
            scene, "at no moment \(when) did more than 2 hosts, or 2 of a zone, fail to answer",
            load.hosts.count == hosts.count && load.failingMax <= 2 && load.failingInZoneMax <= 1,
            seen: "at most \(load.failingMax), \(load.failingInZoneMax) of a zone")
        claims.check(
            scene, "every host answers its users again", load.failing.isEmpty,
            seen: load.failing.isEmpty
                ? "no last answer was a failure" : load.failing.sorted().joined(separator: ", "))
    }

    /// Stops services, agents, guards and the coordinator.
    func stop() {
        for host in hosts { host.stopService() }
        programs.stopAll()
        ProcessTable.end(ledger: layout.ledger, below: layout.directory)
    }

    private func furnish(_ bundles: ReleaseBundles) async throws {
        let datasets = ["colonies", "orders", "weather"].map {
            "\(layout.sources)/datasets/\($0).csv"
        }
        for host in hosts { try host.layOut(release: bundles.folder("1.0.0")) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for host in hosts { group.addTask { try await host.furnish(datasets: datasets) } }
            try await group.waitForAll()
        }
    }

    private func connect() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for host in hosts {
                group.addTask {
                    let token = try await self.token(for: host)
                    try await host.join(coordinator: coordinator.agents, token: token)
                }
            }
            try await group.waitForAll()
        }
        _ = try await Waiting.until("six agents to connect", seconds: 60) {
            let views = try await cli.read([HostView].self, ["host", "list"]) ?? []
            return views.filter(\.connected).count == hosts.count ? true : nil
        }
        _ = try await cli.run(["host", "list"], show: .first(7))
    }

    private func token(for host: DemoHost) async throws -> String {
        let view = try await cli.read(
            TokenView.self,
            [
                "token", "create", "--host", host.id, "--label", "app=registry", "--label",
                "zone=\(host.zone)", "--label", "port=\(host.port)",
            ])
        guard let token = view?.token else {
            throw DemoFailure(
                "belay token create gave no token; see the newest files in \(layout.logs)")
        }
        return token
    }
}
