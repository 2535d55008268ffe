import Synchronization

/// Users of all services at once: each host is asked again and again, and failures are counted.
final class LoadClient: Sendable {
    /// What was counted of one host.
    struct Count: Sendable {
        var asked = 0
        var failed = 0
    }

    /// What was counted of all hosts.
    struct Result: Sendable {
        var hosts: [String: Count] = [:]
        /// Hosts whose last answer was a failure.
        var failing: Set<String> = []
        /// The most hosts whose last answers were failures at one moment.
        var failingMax = 0
        /// The same within one zone.
        var failingInZoneMax = 0

        /// `registry-a1 25/410, …`: failures and requests.
        var counts: String {
            hosts.sorted { $0.key < $1.key }.map {
                "\($0.key.split(separator: "-").last ?? "") \($0.value.failed)/\($0.value.asked)"
            }.joined(separator: ", ")
        }
    }

    private let state = Mutex(Result())
    private let zones: [String: String]
    private let hosts: [DemoHost]

    init(hosts: [DemoHost]) {
        self.hosts = hosts
        zones = hosts.reduce(into: [:]) { $0[$1.id] = $1.zone }
    }

    /// Asks until `body` has ended; gives what both found.
    func during<Value: Sendable>(
        _ body: @Sendable () async throws -> Value
    ) async throws -> (Value, Result) {
        let value = try await withThrowingTaskGroup(of: Void.self) { group in
            for host in hosts { group.addTask { await self.ask(host) } }
            defer { group.cancelAll() }
            return try await body()
        }
        return (value, state.withLock { $0 })
    }

    private func ask(_ host: DemoHost) async {
        let paths = ["/healthz", "/v1/datasets", "/v1/datasets/colonies/features"]
        var turn = 0
        while !Task.isCancelled {
            let answer = await ServiceClient.get(paths[turn % paths.count], port: host.port)
            turn += 1
            if Task.isCancelled { return }
            note(host.id, failed: answer.status != 200)
            try? await Task.sleep(for: .milliseconds(40))
        }
    }

    private func note(_ host: String, failed: Bool) {
        state.withLock { state in
            state.hosts[host, default: Count()].asked += 1
            guard failed else {
                state.failing.remove(host)
                return
            }
            state.hosts[host, default: Count()].failed += 1
            state.failing.insert(host)
            state.failingMax = max(state.failingMax, state.failing.count)
            let inZone = state.failing.count { zones[$0] == zones[host] }
            state.failingInZoneMax = max(state.failingInZoneMax, inZone)
        }
    }
}
