extension AsyncStream where Element: Sendable {
    /// Runs `body` on each element as it comes, at most `limit` at the same time, until the stream
    /// ends and all of them are done.
    func forEach(atMost limit: Int, _ body: @escaping @Sendable (Element) async -> Void) async {
        await withTaskGroup(of: Void.self) { group in
            var running = 0
            for await element in self {
                if running >= limit {
                    await group.next()
                    running -= 1
                }
                running += 1
                group.addTask { await body(element) }
            }
        }
    }
}
