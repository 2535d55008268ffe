import FleetTransport
import FleetWire
import Synchronization

/// One agent's connection: a bounded outbox, and questions that wait for their answers.
final class AgentSession: Sendable {
    private struct State {
        var next: UInt64 = 0
        var waiting: [String: CheckedContinuation<ReceivedMessage, any Error>] = [:]
        /// Who hears what comes before an answer, by the question's id.
        var hearing: [String: @Sendable (ReceivedMessage) -> Void] = [:]
        /// Orders that left, by the ids of their messages, oldest first; a refusal names one.
        var orders: [(id: String, order: SentOrder)] = []
        var isClosed = false
    }

    /// What a refusal of an order is told of.
    struct SentOrder: Sendable {
        let rollout: RolloutID
        let verb: OrderVerb
        let attempt: Int
    }

    let host: HostID
    let serial: String
    let number: UInt64
    private let connection: FleetConnection
    private let generation: Generation
    private let state = Mutex(State())
    private let outbox: AsyncStream<[UInt8]>
    private let out: AsyncStream<[UInt8]>.Continuation
    private let closing: AsyncStream<Void>
    private let closed: AsyncStream<Void>.Continuation

    init(
        host: HostID, serial: String, number: UInt64, connection: FleetConnection,
        generation: Generation
    ) {
        self.host = host
        self.serial = serial
        self.number = number
        self.connection = connection
        self.generation = generation
        (outbox, out) = AsyncStream.makeStream(
            bufferingPolicy: .bufferingOldest(CoordinatorLimits.outboxMax))
        (closing, closed) = AsyncStream.makeStream()
    }

    /// Where the agent dialled from.
    var address: String { connection.address }

    /// True once it takes nothing any more.
    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Sends what is posted until the session closes, last words included; then hangs up.
    func runOutbox() async {
        for await payload in outbox {
            do { try await connection.send(payload) } catch { break }
        }
        close()
    }

    /// Hangs up on a peer that does not take the last words in time.
    func closeLate() async {
        for await _ in closing {}
        try? await Task.sleep(for: CoordinatorLimits.farewellWithin.duration)
        connection.close()
    }

    /// Posts a message without waiting; a full outbox closes the session, and so does a message
    /// that no frame can hold.
    func post(
        _ type: MessageType, _ body: some Codable & Sendable, re: String? = nil, id: String? = nil
    ) {
        let id = id ?? nextID()
        let envelope = Envelope(type, id: id, re: re, gen: generation, body: body)
        guard let payload = try? envelope.payload(),
            payload.count <= FrameLimits.v1.payloadBytesMax
        else {
            close()
            return
        }
        if case .dropped = out.yield(payload) { close() }
    }

    /// Posts an order, and remembers it until it is refused or many others have followed.
    func post(_ order: TransactionOrder) {
        let id = nextID()
        let sent = SentOrder(rollout: order.rollout, verb: order.verb, attempt: order.attempt)
        state.withLock { state in
            if state.orders.count >= CoordinatorLimits.ordersKept { state.orders.removeFirst() }
            state.orders.append((id, sent))
        }
        post(.order, order, id: id)
    }

    /// The order that a message answers; each is given once.
    func takeOrder(answeredBy message: ReceivedMessage) -> SentOrder? {
        state.withLock { state in
            guard let place = state.orders.firstIndex(where: { $0.id == message.header.re }) else {
                return nil
            }
            return state.orders.remove(at: place).order
        }
    }

    private func nextID() -> String {
        state.withLock { state in
            state.next += 1
            return "c\(number)-\(state.next)"
        }
    }

    /// Asks and waits for the answer; throws the agent's `Refusal`, or `Refusal("unreachable")`
    /// when the session ends first or `within` passes. `hearing` gets what the agent says before its
    /// answer.
    func ask(
        _ type: MessageType, _ body: some Codable & Sendable,
        within: Milliseconds = CoordinatorLimits.answerWithin,
        hearing: (@Sendable (ReceivedMessage) -> Void)? = nil
    ) async throws -> ReceivedMessage {
        let id = nextID()
        if let hearing { state.withLock { $0.hearing[id] = hearing } }
        defer { state.withLock { _ = $0.hearing.removeValue(forKey: id) } }
        return try await withThrowingTaskGroup(of: ReceivedMessage.self) { group in
            group.addTask {
                try await withTaskCancellationHandler {
                    try await withCheckedThrowingContinuation { continuation in
                        self.wait(for: id, continuation)
                        self.post(type, body, id: id)
                    }
                } onCancel: {
                    self.settle(id, .failure(CancellationError()))
                }
            }
            group.addTask {
                try await Task.sleep(for: within.duration)
                throw Refusal(
                    code: "unreachable",
                    reason: "\(self.host) did not answer within \(within.count / 1000) s")
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
    }

    private func wait(
        for id: String, _ continuation: CheckedContinuation<ReceivedMessage, any Error>
    ) {
        let isClosed = state.withLock { state in
            if !state.isClosed { state.waiting[id] = continuation }
            return state.isClosed
        }
        if isClosed {
            continuation.resume(throwing: gone)
        } else if Task.isCancelled {
            // Cancellation may have come before the continuation was there to be found.
            settle(id, .failure(CancellationError()))
        }
    }

    private var gone: Refusal {
        Refusal(code: "unreachable", reason: "the connection to \(host) ended")
    }

    /// Takes an answer to an earlier question; late and unknown ones are dropped. False for those,
    /// and for refusals of orders, which nobody waits for.
    @discardableResult
    func take(answer message: ReceivedMessage) -> Bool {
        guard let id = message.header.re else { return false }
        if message.header.type == .refused || message.header.type == .unsupported {
            let refusal =
                (try? message.body(Refusal.self))
                ?? Refusal(code: "failed", reason: "\(host) refused without a reason")
            return settle(id, .failure(refusal))
        }
        return settle(id, .success(message))
    }

    /// Takes what comes before the answer to an earlier question; what nobody waits for is dropped.
    func take(before message: ReceivedMessage) {
        guard let id = message.header.re else { return }
        state.withLock { $0.hearing[id] }?(message)
    }

    @discardableResult
    private func settle(_ id: String, _ result: Result<ReceivedMessage, any Error>) -> Bool {
        let continuation = state.withLock { $0.waiting.removeValue(forKey: id) }
        continuation?.resume(with: result)
        return continuation != nil
    }

    /// Ends the session; all open questions fail. With last words the connection is closed once
    /// they have left (`runOutbox`) or could not leave in time (`closeLate`), else at once.
    func close(farewell: Farewell? = nil) {
        if let farewell { post(.bye, farewell) }
        finish()
        if farewell == nil { connection.close() }
    }

    /// Takes nothing any more; what was posted still leaves.
    func finish() {
        let waiting = state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [:] }
            return state.waiting
        }
        for continuation in waiting.values { continuation.resume(throwing: gone) }
        out.finish()
        closed.finish()
    }
}
