import FleetTransport
import FleetWire
package import OperatorAPI
import RolloutCalendar
package import RolloutCore
package import RolloutPlan

extension Coordinator {
    /// What an apply compares: the resolved plan, and what every host said of its state.
    private struct Seal: Codable {
        var plan: ResolvedPlan
        var states: [String: Digest]
    }

    /// Holds a plan against the fleet. Throws `APIFailure` with all that does not fit.
    func resolve(_ plan: Plan) throws -> ResolvedPlan {
        let fleet = registry.hosts.filter { $0.value.revoked == nil }.map {
            FleetHost(
                id: $0.key, labels: $0.value.labels, facts: presence[$0.key]?.facts ?? [:])
        }
        let resolved: ResolvedPlan
        do {
            resolved = try plan.resolve(
                against: fleet.sorted { $0.id < $1.id }, zones: ZoneFolder.ofThisMachine.lookup)
        } catch {
            throw APIFailure(
                code: "invalid",
                message: "the plan does not fit the fleet: "
                    + error.problems.map(\.message).joined(separator: "; "),
                remedy: "`belay host list` shows the fleet, `belay lint FILE` checks the plan")
        }
        try checkSize(resolved)
        return resolved
    }

    private func checkSize(_ plan: ResolvedPlan) throws {
        guard let id = RolloutID("preview") else { return }
        for host in plan.hosts.prefix(1) {
            guard let work = plan.hostPlan(for: host.id, rollout: id) else { continue }
            let bytes = try WireJSON.encode(work).count
            guard bytes > CoordinatorLimits.hostPlanBytesMax else { continue }
            throw APIFailure(
                code: "invalid",
                message: "one host's plan has \(bytes) bytes, "
                    + "\(CoordinatorLimits.hostPlanBytesMax) fit into one message",
                remedy: "move large texts into an artifact")
        }
    }

    /// What a plan would do; nothing changes. Throws `APIFailure`.
    package func preview(_ plan: Plan, artifacts: ArtifactStore) async throws -> PlanPreview {
        let resolved = try resolve(plan)
        let inspections = await inspect(resolved)
        return PlanPreview(
            plan: resolved, digest: try Self.seal(resolved, inspections),
            notes: notes(on: resolved, artifacts), inspections: inspections)
    }

    private static func seal(
        _ plan: ResolvedPlan, _ inspections: [HostInspection]
    ) throws -> Digest {
        let states = inspections.compactMap { found in
            found.inspection.map { (found.host.rawValue, $0.state) }
        }
        let seal = Seal(plan: plan, states: Dictionary(states) { first, _ in first })
        return SHA256Hasher.digest(of: try WireJSON.encode(seal))
    }

    /// Asks every host, some at a time; a host that cannot be asked says why.
    private func inspect(_ plan: ResolvedPlan) async -> [HostInspection] {
        var found: [HostID: HostInspection] = [:]
        await withTaskGroup(of: HostInspection.self) { group in
            for (index, host) in plan.hosts.enumerated() {
                if index >= CoordinatorLimits.inspectionsAtOnce, let one = await group.next() {
                    found[one.host] = one
                }
                group.addTask { await self.inspect(host.id, plan) }
            }
            for await one in group { found[one.host] = one }
        }
        return plan.hosts.compactMap { found[$0.id] }
    }

    private func inspect(_ host: HostID, _ plan: ResolvedPlan) async -> HostInspection {
        do {
            guard let id = RolloutID("preview"), let work = plan.hostPlan(for: host, rollout: id)
            else { throw Self.unknown(host) }
            let answer = try await session(of: host).ask(
                .inspect, InspectRequest(plan: work), within: CoordinatorLimits.inspectionWithin)
            return HostInspection(
                host: host, inspection: try answer.body(Inspection.self), failure: nil)
        } catch {
            return HostInspection(
                host: host, inspection: nil, failure: Self.refusal(for: error).reason)
        }
    }

    private func notes(on plan: ResolvedPlan, _ artifacts: ArtifactStore) -> [String] {
        var notes: [String] = []
        let away = plan.hosts.map(\.id).filter { presence[$0] == nil }
        if !away.isEmpty {
            notes.append(
                (away.count == 1 ? "1 host is" : "\(away.count) hosts are")
                    + " not connected: \(Self.some(away))")
        }
        for host in plan.hosts {
            guard let skew = presence[host.id]?.skew.count,
                skew.magnitude > CoordinatorLimits.skewMax.count.magnitude
            else { continue }
            notes.append("the clock of \(host.id) is off by \(skew / 1000) s; set it, best by NTP")
        }
        let known = registry.knownBad(at: clock())
        for digest in [plan.planDigest] + plan.artifacts.map(\.digest) {
            guard let bad = known[digest] else { continue }
            notes.append("\(digest.short) is in quarantine since \(bad.rollout): \(bad.reason)")
        }
        if let failure = refusal(ofTouching: Set(plan.hosts.map(\.id))) {
            notes.append(failure.message)
        }
        for artifact in plan.artifacts where artifacts.file(of: artifact.digest) == nil {
            notes.append("artifact \(artifact.name) (\(artifact.digest.short)) is not uploaded yet")
        }
        return notes
    }

    private static func some(_ hosts: [HostID]) -> String {
        let names = hosts.prefix(5).map(\.rawValue).joined(separator: ", ")
        return hosts.count > 5 ? names + ", …" : names
    }

    /// Starts a rollout; its first event is durable on return. Throws `APIFailure`.
    package func apply(
        _ request: ApplyRequest, by name: String, artifacts: ArtifactStore
    ) async throws -> RolloutView {
        let resolved = try resolve(request.plan)
        try checkArtifacts(resolved, artifacts)
        let overridden = try checkQuarantine(resolved, request)
        let isQueued = request.queue ?? false
        let hosts = Set(resolved.hosts.map(\.id))
        if let failure = refusal(ofTouching: hosts, queued: isQueued) { throw failure }
        if let expected = request.digest {
            let found = try Self.seal(resolved, await inspect(resolved))
            guard found == expected else {
                throw APIFailure(
                    code: "conflict",
                    message: "the plan, the fleet or a host's state changed since the plan was "
                        + "shown (\(expected.short) then, \(found.short) now)",
                    remedy: "look at `belay plan` again")
            }
        }
        let id = try freshID(resolved.name)
        let now = clock()
        var definition = RolloutDefinition(
            plan: resolved, connected: [], reason: request.reason, isQueued: isQueued)
        definition.overridden = overridden.isEmpty ? nil : overridden
        try await submit(
            .rollout(id, .created(definition, id: id, by: name, at: now)),
            actor: "operator:\(name)")
        return try await view(of: id)
    }

    private func checkArtifacts(_ plan: ResolvedPlan, _ artifacts: ArtifactStore) throws {
        let missing = plan.artifacts.filter { artifacts.file(of: $0.digest) == nil }
        guard !missing.isEmpty else { return }
        throw APIFailure(
            code: "invalid",
            message: "artifacts are not uploaded: "
                + missing.map { "\($0.name) (\($0.digest))" }.joined(separator: ", "),
            remedy: "`belay apply` uploads them; or PUT /v1/artifacts/<sha256>")
    }

    /// Gives the digests in quarantine that the operator lets through.
    private func checkQuarantine(
        _ plan: ResolvedPlan, _ request: ApplyRequest
    ) throws -> [Digest] {
        let known = registry.knownBad(at: clock())
        let bad = ([plan.planDigest] + plan.artifacts.map(\.digest)).compactMap { known[$0] }
        guard let first = bad.first else { return [] }
        guard request.overrideQuarantine else {
            throw APIFailure(
                code: "conflict",
                message: "\(first.digest) is in quarantine since \(first.rollout): \(first.reason)",
                remedy: "fix it, or override with --override-quarantine and --reason")
        }
        guard request.reason?.isEmpty == false else {
            throw APIFailure(
                code: "invalid", message: "quarantine is overridden only with a reason",
                remedy: "add --reason")
        }
        return bad.map(\.digest)
    }

    /// `<name>-<yyyymmdd>-<4 hex>`, not used before.
    private func freshID(_ name: String) throws -> RolloutID {
        for _ in 0..<64 {
            let text = "\(name)-\(UTCTime(clock()).compactDate)-\(Tokens.id().prefix(4))"
            guard let id = RolloutID(text) else {
                throw APIFailure(
                    code: "invalid", message: "the plan's name \(name) cannot stand in an id",
                    remedy: "use letters, digits, dots, dashes and underscores, at most 110")
            }
            if !isKnown(id) { return id }
        }
        throw APIFailure(
            code: "conflict", message: "no free rollout id was found for \(name)",
            remedy: "try again")
    }
}
