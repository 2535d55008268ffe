import Glibc

/// Writes files on the caller's thread and on a further one: batches of them wait in a short queue,
/// and whoever has time takes one. Their order does not matter, since none shows before all stand.
final class WritingThreads {
    /// A file to write.
    struct Order {
        var entry: Entry
        var folder: Descriptor
        var name: [UInt8]
    }

    private static let batchOrders = 64
    private static let batchesMax = 8
    private let own: FileWriter
    private let other: FileWriter?
    private let line = Line()
    private var worker: Worker?
    private var filling: [Order] = []

    /// `other` writes on a further thread; without it all is written at once, in order.
    init(own: FileWriter, other: FileWriter?) {
        self.own = own
        self.other = other
    }

    /// Writes it now or soon. Throws what has failed so far.
    func write(_ entry: Entry, _ folder: Descriptor, _ name: [UInt8]) throws {
        guard other != nil else { return try own.make(entry, folder, name) }
        filling.append(Order(entry: entry, folder: folder, name: name))
        if filling.count >= Self.batchOrders || entry.size > 1 << 20 { try seal() }
    }

    /// All is written on return; `tick` is called now and then while the other thread writes.
    func finish(_ tick: () throws -> Void = {}) throws {
        defer { stop() }
        if !filling.isEmpty { try seal() }
        while let batch = line.take(waiting: false) { try Self.make(batch, own) }
        line.close()
        if worker != nil { try line.waitForEnd(tick) }
        stop()
        try line.check()
    }

    /// Ends its thread; what waits is not written.
    func stop() {
        line.close()
        worker?.join()
        worker = nil
    }

    private func seal() throws {
        start()
        line.put(filling)
        filling = []
        try line.check()
        while line.count >= Self.batchesMax, let batch = line.take(waiting: false) {
            try Self.make(batch, own)
        }
    }

    private func start() {
        guard worker == nil, let other else { return }
        worker = Worker { [line] in
            defer { line.end() }
            while let batch = line.take(waiting: true) {
                do {
                    try Self.make(batch, other)
                } catch {
                    return line.fail(error)
                }
            }
        }
    }

    private static func make(_ batch: [Order], _ writer: FileWriter) throws {
        for order in batch { try writer.make(order.entry, order.folder, order.name) }
    }

    /// The batches that wait.
    // Proof: every use of what can change is under the monitor; a batch is taken by one thread.
    private final class Line: @unchecked Sendable {
        private let monitor = Monitor()
        private var batches: [[Order]] = []
        private var isClosed = false
        private var hasEnded = false
        private var failure: (any Error)?

        var count: Int { monitor.look { batches.count } }

        func put(_ batch: [Order]) { monitor.change { batches.append(batch) } }

        /// Nil if none waits, or, if `waiting`, once it is closed.
        func take(waiting: Bool) -> [Order]? {
            guard waiting else {
                return monitor.look { batches.isEmpty ? nil : batches.removeFirst() }
            }
            return monitor.wait { () -> [Order]?? in
                if isClosed { return .some(nil) }
                return batches.isEmpty ? nil : .some(batches.removeFirst())
            }
        }

        func close() { monitor.change { isClosed = true } }
        /// The other thread takes nothing any more.
        func end() { monitor.change { hasEnded = true } }
        func waitForEnd(_ tick: () throws -> Void) rethrows {
            try monitor.wait(tick) { hasEnded ? () : nil }
        }
        func fail(_ error: any Error) { monitor.change { failure = failure ?? error } }
        func check() throws { if let failure = monitor.look({ failure }) { throw failure } }
    }
}
