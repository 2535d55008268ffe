import FleetWire
import OperatorAPI
import RolloutPlan

/// Questions and orders about rollback points, on one host, a selection or the fleet.
extension Coordinator {
    // MARK: - Which hosts

    /// The hosts of a selection, by id. Throws `APIFailure` for one that is no selection, has a host
    /// that is unknown or revoked, or has none.
    func hosts(of selection: HostSelection) throws -> [HostID] {
        switch (selection.hosts, selection.selector, selection.all) {
        case (let named?, nil, nil), (let named?, nil, false): return try hosts(named: named)
        case (nil, let text?, nil), (nil, let text?, false):
            let selector = try Selector(asked: text)
            let found = enrolled.filter { selector.matches(registry.hosts[$0]?.labels ?? [:]) }
            guard !found.isEmpty else {
                throw APIFailure(
                    code: "not_found", message: "no host matches \(text)",
                    remedy: "`belay host list` shows the labels that there are")
            }
            return found
        case (nil, nil, true):
            guard !enrolled.isEmpty else {
                throw APIFailure(
                    code: "not_found", message: "the fleet has no host",
                    remedy: "enrol one: `belay token create`")
            }
            return enrolled
        case (_, _, _):
            throw APIFailure(
                code: "invalid", message: "a selection is one of hosts, selector and all",
                remedy: "give exactly one of them")
        }
    }

    private var enrolled: [HostID] {
        registry.hosts.filter { $0.value.revoked == nil }.keys.sorted()
    }

    private func hosts(named: [HostID]) throws -> [HostID] {
        guard (1...CoordinatorLimits.namedHostsMax).contains(named.count) else {
            throw APIFailure(
                code: "invalid",
                message: "a selection names 1 to \(CoordinatorLimits.namedHostsMax) hosts")
        }
        for host in named {
            guard let known = registry.hosts[host] else { throw Self.unknown(host) }
            guard let reason = known.revoked else { continue }
            throw APIFailure(
                code: "conflict", message: "host \(host) was revoked: \(reason)",
                remedy: "leave it out, or enrol it again with a new token")
        }
        return Set(named).sorted()
    }

    // MARK: - Questions

    /// Asks hosts what changes nothing on them; `give` gets each answer as it comes, and nil now and
    /// then while they are waited for. Throws what `give` throws.
    nonisolated func ask(
        _ wanted: FleetPointRequest, _ hosts: [HostID],
        give: (PointAnswer?) async throws -> Void
    ) async throws {
        let pace = PointPace(wanted)
        try await fanOut(hosts, atOnce: pace.atOnce) { host in
            await self.ask(host, wanted.request, within: pace.within)
        } give: { answer in
            var answer = answer
            answer?.hosts = hosts.count
            try await give(answer)
            return true
        }
    }

    /// The hosts of a request that was found good. Throws `APIFailure`.
    func check(_ wanted: FleetPointRequest) throws -> [HostID] {
        try PointRules.check(wanted)
        return try hosts(of: wanted.selection)
    }

    /// One host's answer, whatever comes.
    func ask(
        _ host: HostID, _ request: PointRequest, within: Milliseconds
    ) async -> PointAnswer {
        guard let session = presence[host]?.session else {
            return PointAnswer(host: host, failure: away(host))
        }
        do {
            let reply = try await session.ask(.point, request, within: within)
            return PointAnswer(host: host, reply: try reply.body(PointReply.self))
        } catch let refusal as Refusal {
            return PointAnswer(host: host, failure: failure(refusal, request, host))
        } catch let error as FrameError {
            return PointAnswer(
                host: host,
                failure: APIFailure(
                    code: "failed", message: "the agent's answer is no answer: \(error.reason)",
                    remedy: "look whether agent and coordinator have the same version"))
        } catch {
            return PointAnswer(host: host, failure: lost(request, host, "we are stopping"))
        }
    }

    func away(_ host: HostID) -> APIFailure {
        let seen =
            lastSeen[host].map { "last seen \(UTCTime($0).text)" }
            ?? "not seen since the coordinator started"
        return APIFailure(
            code: "unreachable", message: "its agent is not connected; \(seen)",
            remedy: "look at its log; on the host: `belay-agent run`")
    }

    private func failure(
        _ refusal: Refusal, _ request: PointRequest, _ host: HostID
    ) -> APIFailure {
        guard refusal.code == "unreachable" else {
            return APIFailure(
                code: refusal.code, message: refusal.reason.cut(toJSONBytes: 2048),
                remedy: refusal.remedy?.cut(toJSONBytes: 1024))
        }
        return lost(request, host, refusal.reason)
    }

    /// What is said of a question or an order that left and was not answered.
    private func lost(_ request: PointRequest, _ host: HostID, _ why: String) -> APIFailure {
        guard request.mutates else { return APIFailure(code: "unreachable", message: why) }
        return APIFailure(
            code: "outcome_unknown",
            message: "\(why); whether \(request.action.rawValue) was carried out is not known",
            remedy: request.action == .restore
                ? "once it is back: `belay point diff \(request.point ?? "POINT") --host \(host)`, "
                    + "and restore again if it differs"
                : "once it is back: `belay point list --host \(host)`")
    }

    // MARK: - Many hosts

    /// Asks hosts in their order, `atOnce` at a time. `give` gets the answers, and nil now and then;
    /// once it says false no further host is asked, and those under way are waited for. Gives the
    /// hosts that were not asked.
    @discardableResult
    func fanOut(
        _ hosts: [HostID], atOnce: Int, isolation: isolated (any Actor)? = #isolation,
        ask: @escaping @Sendable (HostID) async -> PointAnswer,
        give: (PointAnswer?) async throws -> Bool
    ) async throws -> [HostID] {
        try await withThrowingTaskGroup(of: PointAnswer?.self) { group in
            var left = hosts[...]
            var underWay = 0
            var goesOn = true
            group.addTask { await Self.pauseBeforeTick() }
            defer { group.cancelAll() }
            while true {
                while goesOn, underWay < atOnce, let host = left.popFirst() {
                    group.addTask { await ask(host) }
                    underWay += 1
                }
                guard underWay > 0, let next = try await group.next() else { return Array(left) }
                if next == nil { group.addTask { await Self.pauseBeforeTick() } }
                if next != nil { underWay -= 1 }
                let wantsMore = try await give(next)
                goesOn = goesOn && wantsMore
            }
        }
    }

    private nonisolated static func pauseBeforeTick() async -> PointAnswer? {
        try? await Task.sleep(for: CoordinatorLimits.answersTickEvery.duration)
        return nil
    }
}
