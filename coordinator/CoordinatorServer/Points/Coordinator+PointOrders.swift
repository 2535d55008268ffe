import FleetWire
import Logging
import OperatorAPI
import RolloutPlan

/// Orders about points: durable before the first host hears of them, and so is each outcome before
/// the operator does.
extension Coordinator {
    /// Begins to carry an order out; it is durable on return. Throws `APIFailure`, with code
    /// `conflict` when a rollout or another restore holds some of the hosts.
    func begin(_ wanted: FleetPointRequest, by name: String) async throws -> PointAnswers {
        let hosts = try check(wanted)
        var order = PointOrder(operation: Tokens.id(), hosts: hosts, request: wanted.request)
        var pace = PointPace(wanted)
        if wanted.request.action == .restore {
            let most = max(1, wanted.maxUnavailable?.of(hosts.count) ?? 1)
            order.maxUnavailable = min(most, hosts.count)
            pace.atOnce = wanted.maxParallel ?? CoordinatorLimits.pointsAtOnce
        }
        try await submit(.fleet(.pointsOrdered(order: order)), actor: "operator:\(name)")
        let answers = PointAnswers()
        pointWork.yield(
            PointWork(
                order: order, request: wanted.request, pace: pace,
                keepsGoing: wanted.keepGoing ?? false, answers: answers))
        return answers
    }

    /// Why an order about points is not taken, by the state that all before it have left.
    func refusal(of order: PointOrder) -> APIFailure? {
        if registry.pointOrders.count >= CoordinatorLimits.pointOrdersMax {
            return APIFailure(
                code: "unavailable",
                message: "\(registry.pointOrders.count) orders about points are under way",
                remedy: "wait until one has ended")
        }
        let hosts = Set(order.hosts)
        return order.action == .restore ? refusal(ofTouching: hosts) : staleness(hosts)
    }

    /// The refusal that a restore holds some of these hosts; nil if none does.
    func restoreConflict(_ wanted: Set<HostID>) -> APIFailure? {
        for order in registry.pointOrders.values.sorted(by: { $0.operation < $1.operation })
        where order.action == .restore {
            guard let first = order.hosts.first(where: wanted.contains) else { continue }
            return APIFailure(
                code: "conflict",
                message: "\(first) is being restored to point \(order.point ?? "") "
                    + "(operation \(order.operation))",
                remedy: "wait for it: `belay events --stream fleet --follow` shows its end")
        }
        return nil
    }

    /// Ends what a coordinator that is no more began: nobody carries it on. What its hosts were told
    /// they carry out by themselves.
    func endInterruptedPointOrders() {
        for operation in registry.pointOrders.keys.sorted() {
            enqueue(
                .fleet(
                    .pointsEnded(
                        operation: operation,
                        reason: "the coordinator stopped before all hosts had answered")),
                actor: "coordinator", done: nil)
        }
    }

    // MARK: - Carrying out

    func carryOut(_ work: PointWork) async {
        let reason =
            work.order.action == .restore ? await restore(work) : await askAll(work)
        work.answers.finish()
        deserted.remove(work.order.operation)
        let ended = FleetEvent.pointsEnded(operation: work.order.operation, reason: reason)
        enqueue(.fleet(ended), actor: "coordinator", done: nil)
    }

    /// Asks all hosts; one that fails keeps no other from its turn. Gives why it ended early.
    private func askAll(_ work: PointWork) async -> String? {
        let hosts = work.order.hosts
        let left = await keepingOutcomes(of: hosts, work, atOnce: work.pace.atOnce) { host in
            await self.carryOut(work, on: host)
        }
        return await notStarted(left, work, "the caller went away")
    }

    private func carryOut(_ work: PointWork, on host: HostID) async -> PointAnswer {
        var answer = await ask(host, work.request, within: work.pace.within)
        let lacksComponents = work.request.action == .create && work.request.components == nil
        if lacksComponents, answer.failure?.code == "invalid" {
            answer.failure?.remedy = "name its components: `belay point create --plan FILE`"
        }
        return answer
    }

    /// Asks hosts and makes each outcome durable before it is shown; gives the hosts that were not
    /// asked. Ends early once the caller is gone, or as `goesOn` says.
    private func keepingOutcomes(
        of hosts: [HostID], _ work: PointWork, atOnce: Int,
        goesOn: (PointAnswer) -> Bool = { _ in true },
        ask: @escaping @Sendable (HostID) async -> PointAnswer
    ) async -> [HostID] {
        let left = try? await fanOut(hosts, atOnce: atOnce, ask: ask) { answer in
            guard let answer else { return self.isAwaited(work) }
            let isKept = await self.keep(answer, work)
            return goesOn(answer) && isKept
        }
        return left ?? []
    }

    /// Makes an outcome durable, then shows it; false if no further host is to be asked.
    private func keep(_ answer: PointAnswer, _ work: PointWork) async -> Bool {
        var answer = answer
        answer.operation = work.order.operation
        answer.hosts = work.order.hosts.count
        answer.reply = answer.reply.map(Self.short)
        let event = FleetEvent.pointsAnswered(
            operation: work.order.operation, host: answer.host, outcome: PointOutcome(answer))
        let isHosts = answer.reply != nil || Self.isAgents(answer.failure)
        let actor = isHosts ? "host:\(answer.host)" : "coordinator"
        do {
            try await submit(.fleet(event), actor: actor)
        } catch {
            // It is tried again until it is durable; what an operator is told is true all the same.
            enqueue(.fleet(event), actor: actor, done: nil)
            logger.error("an outcome is not in the journal yet", metadata: ["reason": "\(error)"])
            _ = work.answers.give(answer)
            return false
        }
        return isAwaited(work, answer)
    }

    /// Shows an answer, or only that more is waited for; false if nobody is there to see it.
    private func isAwaited(_ work: PointWork, _ answer: PointAnswer? = nil) -> Bool {
        if work.answers.give(answer) { return true }
        deserted.insert(work.order.operation)
        return false
    }

    /// What an operator needs of a reply to an order; answers wait in memory for slow callers.
    private static func short(_ reply: PointReply) -> PointReply {
        var short = PointReply(points: Array(reply.points.prefix(100)))
        short.restore = reply.restore
        short.prune = reply.prune
        short.prune?.removed = Array((reply.prune?.removed ?? []).prefix(1000))
        short.scrub = reply.scrub
        short.scrub?.damagedPoints = Array((reply.scrub?.damagedPoints ?? []).prefix(100))
        short.damaged = reply.damaged.map { Array($0.prefix(100)).fitting(jsonBytes: 16_384) }
        return short
    }

    /// True for what the agent said itself.
    private static func isAgents(_ failure: APIFailure?) -> Bool {
        let ours: Set = ["unreachable", "outcome_unknown", "not_started"]
        return failure.map { !ours.contains($0.code) } ?? false
    }

    private func notStarted(_ hosts: [HostID], _ work: PointWork, _ why: String) async -> String? {
        guard !hosts.isEmpty else { return nil }
        for host in hosts {
            let failure = APIFailure(
                code: "not_started", message: "nothing was asked of it: \(why)")
            _ = await keep(PointAnswer(host: host, failure: failure), work)
        }
        return why
    }

    // MARK: - Restoring

    /// Looks at the point on every host before the first is touched, then restores a few at a time.
    private func restore(_ work: PointWork) async -> String? {
        var look = PointRequest(action: .verify, point: work.request.point)
        look.skip = 0
        let question = look
        var found: [HostID: PointID] = [:]
        var failed: [PointAnswer] = []
        _ = try? await fanOut(work.order.hosts, atOnce: work.pace.atOnce) { host in
            await self.ask(host, question, within: work.pace.within)
        } give: { answer in
            guard let answer else { return self.isAwaited(work) }
            if let point = Self.whole(answer) {
                found[answer.host] = point
            } else {
                failed.append(Self.unfit(answer))
            }
            return true
        }
        for answer in failed.sorted(by: { $0.host < $1.host }) { _ = await keep(answer, work) }
        let ready = work.order.hosts.filter { found[$0] != nil }
        if let first = failed.min(by: { $0.host < $1.host }), !work.keepsGoing {
            return await notStarted(
                ready, work,
                "\(failed.count) of the hosts cannot be restored (\(first.host)), so nothing was "
                    + "changed anywhere; leave them out, or go on without them by --keep-going")
        }
        return await restore(ready, to: found, work)
    }

    private func restore(
        _ hosts: [HostID], to points: [HostID: PointID], _ work: PointWork
    ) async -> String? {
        var stopped: String?
        let left = await keepingOutcomes(
            of: hosts, work, atOnce: work.order.maxUnavailable ?? 1,
            goesOn: { answer in
                guard answer.failure != nil, !work.keepsGoing else { return true }
                stopped = stopped ?? "\(answer.host) failed"
                return false
            },
            ask: { host in
                var request = work.request
                // What was looked at is what is restored, whatever got its name since.
                request.point = points[host]?.rawValue
                return await self.ask(host, request, within: work.pace.within)
            })
        return await notStarted(left, work, stopped ?? "the caller went away")
    }

    /// The point that an answer to `verify` found whole.
    private static func whole(_ answer: PointAnswer) -> PointID? {
        guard let reply = answer.reply, reply.damaged?.isEmpty == true else { return nil }
        return reply.points.first?.id
    }

    private static func unfit(_ answer: PointAnswer) -> PointAnswer {
        guard let reply = answer.reply else { return answer }
        let damaged = reply.damaged ?? []
        return PointAnswer(
            host: answer.host,
            failure: damaged.isEmpty
                ? APIFailure(
                    code: "failed", message: "it did not say which point that is",
                    remedy: "look whether its agent is older than the coordinator")
                : APIFailure(
                    code: "damaged",
                    message: "the point is damaged: \((damaged.first ?? "").cut(toJSONBytes: 512))",
                    remedy: "`belay point verify --deep` shows all; another point may be whole"))
    }
}
