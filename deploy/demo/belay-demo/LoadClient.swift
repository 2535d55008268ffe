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
        var failing: Set<String> = []
        /// The most hosts whose last answers were failures at one moment.
        var failingMax = 0
    }

    private let state = Mutex(Result())

    /// Asks until it is cancelled, or until `body` has ended; gives what both found.
    func during<Value: Sendable>(
        hosts: [DemoHost], _ body: @Sendable () async throws -> Value
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
            if failed {
                state.hosts[host, default: Count()].failed += 1
                state.failing.insert(host)
                state.failingMax = max(state.failingMax, state.failing.count)
            } else {
                state.failing.remove(host)
            }
        }
    }
}
