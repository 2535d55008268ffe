package import FleetWire
package import OperatorAPI
package import RolloutCore
import RolloutPlan
import StateStore

extension Coordinator {
    /// All rollouts, oldest first.
    package func views() -> [RolloutView] { order.compactMap { try? view(of: $0) } }

    /// What a rollout or one of its hosts waits for. Throws `APIFailure`.
    package func why(_ id: RolloutID, host: HostID?) throws -> WhyView {
        let view = try view(of: id)
        guard let host else { return view.why }
        guard let why = rollouts[id]?.machine.why(host: host, now: clock()) else {
            throw APIFailure(code: "not_found", message: "\(host) is not in rollout \(id)")
        }
        return why
    }

    /// Gives a command to a rollout; durable on return. Throws `APIFailure`.
    package func command(
        _ request: CommandRequest, to id: RolloutID, by name: String
    ) async throws -> RolloutView {
        guard rollouts[id] != nil else { throw Self.unknown(id) }
        switch request.command {
        case .rollback, .retry: refreshConnections(of: id)
        default: break
        }
        let actor = "operator:\(name)"
        try await submit(
            .rollout(
                id, .command(request.command, by: name, reason: request.reason, at: clock())),
            actor: actor)
        return try view(of: id)
    }

    /// Takes hosts back. Throws `APIFailure`.
    package func rollBack(_ request: RollbackRequest, by name: String) async throws -> RolloutView {
        let id = try rollout(for: request)
        let view = try view(of: id)
        let hosts: RollbackSelection.Hosts
        switch (request.host, request.wave) {
        case (let host?, nil):
            guard view.hosts.contains(where: { $0.id == host }) else {
                throw APIFailure(code: "not_found", message: "\(host) is not in rollout \(id)")
            }
            hosts = .named([host])
        case (nil, let wave?):
            guard view.waves.contains(where: { $0.name == wave }) else {
                throw APIFailure(code: "not_found", message: "rollout \(id) has no wave \(wave)")
            }
            hosts = .wave(wave)
        case (nil, nil): hosts = .all
        case (_?, _?):
            throw APIFailure(
                code: "invalid", message: "either a host or a wave is rolled back, not both",
                remedy: "give one of --host and --wave")
        }
        let selection = RollbackSelection(
            hosts: hosts, scope: request.scope, point: request.point, fast: request.fast,
            includeLater: request.includeLater)
        return try await command(
            CommandRequest(command: .rollback(selection), reason: request.reason), to: id, by: name)
    }

    private func rollout(for request: RollbackRequest) throws -> RolloutID {
        if let id = request.rollout { return id }
        guard let host = request.host else {
            throw APIFailure(
                code: "invalid", message: "a rollback needs a rollout or a host",
                remedy: "`belay rollback ROLLOUT` or `belay rollback --host HOST`")
        }
        let newest = order.last { id in
            let hosts = rollouts[id]?.machine.view(now: clock())?.hosts ?? []
            return hosts.contains { $0.id == host && Self.isChanged($0) }
        }
        guard let newest else {
            throw APIFailure(
                code: "not_found", message: "no rollout has changed \(host)",
                remedy: "`belay point list HOST` shows its rollback points")
        }
        return newest
    }

    // MARK: - Hosts

    /// All hosts that ever enrolled, by id.
    package func hosts() -> [HostView] {
        let holders = holders()
        return registry.hosts.keys.sorted().compactMap { describe($0, holders) }
    }

    /// One host. Throws `APIFailure`.
    package func host(_ id: HostID) throws -> HostView {
        guard let view = describe(id, holders()) else { throw Self.unknown(id) }
        return view
    }

    private func holders() -> [HostID: RolloutID] {
        var holders: [HostID: RolloutID] = [:]
        for id in order {
            for host in rollouts[id]?.machine.heldHosts ?? [] { holders[host] = id }
        }
        return holders
    }

    private func describe(_ id: HostID, _ holders: [HostID: RolloutID]) -> HostView? {
        guard let known = registry.hosts[id] else { return nil }
        let present = presence[id]
        var view = HostView(
            id: id, labels: known.labels, connected: present != nil, certificateEnds: known.ends,
            revoked: known.revoked)
        view.facts = present?.facts ?? [:]
        view.lastSeen = present?.lastSeen ?? lastSeen[id]
        view.clockSkew = present?.skew
        view.agentVersion = present?.agentVersion
        view.metrics = present?.metrics ?? [:]
        view.heldBy = holders[id]
        return view
    }

    /// Makes a fleet event durable for an operator. Throws `APIFailure`.
    func record(_ event: FleetEvent, by name: String) async throws {
        try await submit(.fleet(event), actor: "operator:\(name)")
    }

    // MARK: - The coordinator itself

    /// What the coordinator says of itself to `principal`.
    package func status(name: String, principal: APITokenView) -> StatusView {
        StatusView(
            version: CoordinatorVersion.text, name: name, generation: generation,
            startedAt: startedAt, hosts: registry.hosts.values.count { $0.revoked == nil },
            connected: presence.count,
            openRollouts: order.filter { rollouts[$0]?.machine.isFinished == false },
            sequence: head, principal: principal)
    }

    /// Checks the whole journal.
    package func audit() async throws -> AuditView {
        let found = try await store.audit()
        return AuditView(
            records: found.records, head: found.head, brokenAt: found.broken?.sequence,
            reason: found.broken?.reason)
    }
}

/// The coordinator's version.
package enum CoordinatorVersion {
    /// As printed.
    package static let text = "0.1.0"
}
