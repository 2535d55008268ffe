import FleetWire
import OperatorAPI

/// Checks that an operator wants run now, on one host, a selection or the fleet.
extension Coordinator {
    /// The hosts of a request that was found good. Throws `APIFailure`.
    func hosts(of wanted: FleetCheckRequest) throws -> [HostID] {
        let most = CoordinatorLimits.checksMax
        guard (1...most).contains(wanted.checks.count) else {
            throw APIFailure(
                code: "invalid",
                message: "\(wanted.checks.count) checks were given, 1 to \(most) can be",
                remedy: "name the checks to run")
        }
        let names = wanted.checks.map(\.name)
        guard Set(names).count == names.count else {
            throw APIFailure(
                code: "invalid", message: "two checks have one name", remedy: "rename one of them")
        }
        let bytes = try WireJSON.encode(wanted).count
        guard bytes <= CoordinatorLimits.hostPlanBytesMax else {
            throw APIFailure(
                code: "invalid",
                message:
                    "the checks have \(bytes) bytes, \(CoordinatorLimits.hostPlanBytesMax) fit "
                    + "into one message", remedy: "ask for fewer at a time")
        }
        if let parallel = wanted.maxParallel,
            !(1...CoordinatorLimits.pointsAtOnceMax).contains(parallel)
        {
            throw APIFailure(
                code: "invalid",
                message: "max_parallel must be 1 to \(CoordinatorLimits.pointsAtOnceMax)")
        }
        return try hosts(of: wanted.selection)
    }

    /// Runs the checks on hosts, some at a time. `give` gets each result as it comes and the end of
    /// each host's part, and nil now and then while they are waited for. Throws what `give` throws;
    /// no further host is asked then.
    nonisolated func check(
        _ wanted: FleetCheckRequest, _ hosts: [HostID],
        give: (FleetCheckAnswer?) async throws -> Void
    ) async throws {
        let (lines, out) = AsyncStream<FleetCheckAnswer?>.makeStream()
        let asking = Task {
            await withTaskGroup(of: Void.self) { group in
                var left = hosts[...]
                for host in left.prefix(wanted.maxParallel ?? CoordinatorLimits.checkedAtOnce) {
                    group.addTask { out.yield(await self.check(wanted, host, hosts.count, out)) }
                    left = left.dropFirst()
                }
                while await group.next() != nil {
                    guard !Task.isCancelled, let host = left.popFirst() else { continue }
                    group.addTask { out.yield(await self.check(wanted, host, hosts.count, out)) }
                }
            }
            out.finish()
        }
        let ticking = Task {
            while !Task.isCancelled {
                try await Task.sleep(for: .seconds(1))
                out.yield(nil)
            }
        }
        defer {
            asking.cancel()
            ticking.cancel()
        }
        for await line in lines { try await give(line) }
    }

    /// One host's part; its results go to `out` as they come.
    private func check(
        _ wanted: FleetCheckRequest, _ host: HostID, _ count: Int,
        _ out: AsyncStream<FleetCheckAnswer?>.Continuation
    ) async -> FleetCheckAnswer {
        guard let session = presence[host]?.session else {
            return FleetCheckAnswer(host: host, hosts: count, failure: away(host))
        }
        let request = CheckRequest(
            checks: wanted.checks, variables: wanted.variables,
            labels: registry.hosts[host]?.labels ?? [:], streams: true)
        let names = Set(wanted.checks.map(\.name))
        do {
            let reply = try await session.ask(
                .check, request, within: Self.longest(wanted.checks)
            ) { message in
                guard let found = try? message.body(CheckResult.self), names.contains(found.name)
                else { return }
                out.yield(FleetCheckAnswer(host: host, hosts: count, found: found))
            }
            return FleetCheckAnswer(
                host: host, hosts: count, results: try reply.body(CheckReply.self).results)
        } catch let refusal as Refusal {
            return FleetCheckAnswer(
                host: host, hosts: count,
                failure: APIFailure(
                    code: refusal.code, message: refusal.reason.cut(toJSONBytes: 2048),
                    remedy: refusal.remedy))
        } catch {
            return FleetCheckAnswer(
                host: host, hosts: count,
                failure: APIFailure(
                    code: "failed", message: "the agent's answer is no answer: \(error)",
                    remedy: "look whether agent and coordinator have the same version"))
        }
    }

    /// As long as all checks can take one after the other, and a little more.
    private static func longest(_ checks: [CheckSpec]) -> Milliseconds {
        let sum = checks.reduce(Milliseconds.zero) { $0 + $1.timeout }
        return min(sum, CoordinatorLimits.checkedWithinMax) + CoordinatorLimits.answerWithin
    }
}
