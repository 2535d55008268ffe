/// Waits for conditions, never for a span alone.
enum Waiting {
    /// Looks again and again until `condition` gives a value; fails after `seconds`.
    static func until<Value: Sendable>(
        _ what: String, seconds: Int, every: Duration = .milliseconds(30),
        _ condition: () async throws -> Value?
    ) async throws -> Value {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while true {
            if let value = try await condition() { return value }
            guard ContinuousClock.now < deadline else {
                throw DemoFailure("waited \(seconds) s for \(what), in vain")
            }
            try await Task.sleep(for: every)
        }
    }

    /// As `until`, for a condition that is true or false; false after `seconds`.
    static func holds(seconds: Int, _ condition: () async throws -> Bool) async throws -> Bool {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < deadline {
            if try await condition() { return true }
            try await Task.sleep(for: .milliseconds(50))
        }
        return try await condition()
    }
}
