package import FleetWire
package import OperatorAPI
package import RolloutCore
import RolloutPlan
import StateStore

extension Coordinator {
    /// All rollouts, oldest first.
    package func summaries() -> [RolloutSummary] {
        let now = clock()
        return order.compactMap { id in
            if let summary = ended[id]?.summary { return summary }
            var summary = rollouts[id].flatMap { EndedRollout($0, now: now)?.summary }
            summary?.queue = queue(of: id)
            return summary
        }
    }

    /// What a rollout or one of its hosts waits for. Throws `APIFailure`.
    package func why(_ id: RolloutID, host: HostID?) async throws -> WhyView {
        let machine = try await machine(of: id).machine
        guard let view = machine.view(now: clock()) else { throw Self.unknown(id) }
        if let host, !view.hosts.contains(where: { $0.id == host }) {
            throw APIFailure(code: "not_found", message: "\(host) is not in rollout \(id)")
        }
        if !machine.isFinished, let stale = staleness(of: view, host: host) { return stale }
        if host == nil, let queued = queueWhy(of: id) { return queued }
        return host.flatMap { machine.why(host: $0, now: clock()) } ?? view.why
    }

    /// Gives a command to a rollout; durable on return. Throws `APIFailure`.
    package func command(
        _ request: CommandRequest, to id: RolloutID, by name: String
    ) async throws -> RolloutView {
        guard isKnown(id) else { throw Self.unknown(id) }
        var command = request.command
        switch command {
        case .rollback(let selection):
            try await refreshConnections(of: id)
            command = .rollback(try narrowed(selection, in: id))
        case .retry: try await refreshConnections(of: id)
        default: break
        }
        try await submit(
            .rollout(id, .command(command, by: name, reason: request.reason, at: clock())),
            actor: "operator:\(name)")
        return try await view(of: id)
    }

    /// Takes hosts back. Throws `APIFailure`.
    package func rollBack(_ request: RollbackRequest, by name: String) async throws -> RolloutView {
        let id = try rollout(for: request)
        let view = try await view(of: id)
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
            includeLater: request.includeLater,
            acrossPointOfNoReturn: request.acrossPointOfNoReturn ?? false)
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
        guard let newest = order.last(where: { changedHosts(of: $0).contains(host) }) else {
            throw APIFailure(
                code: "not_found", message: "no rollout has changed \(host)",
                remedy: "`belay point list --host HOST` shows its rollback points")
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
        view.troubles = registry.troubles[id] ?? []
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
            sequence: head, principal: principal,
            problems: [
                journalFailure,
                journalBreak.map {
                    "the journal is not as it was written, from record \($0.sequence) on: "
                        + "\($0.reason); restore a copy of it that is"
                },
                staleness(Set(ahead.keys)).map { $0.message + "; " + ($0.remedy ?? "") },
            ].compactMap(\.self))
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
