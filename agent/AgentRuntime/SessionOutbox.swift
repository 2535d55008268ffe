import FleetTransport
import FleetWire
import Synchronization

/// One session's way out: messages wait here in order until the socket takes them.
final class SessionOutbox: Sendable {
    /// Messages that may wait; more means that the coordinator does not read, and ends the session.
    private static let waitingMax = 8192

    let connection: FleetConnection
    let payloads: AsyncStream<[UInt8]>
    private let out: AsyncStream<[UInt8]>.Continuation
    private let counter = Mutex(UInt64(0))
    private let heard = Mutex(HostClock.sinceBoot())

    init(_ connection: FleetConnection) {
        self.connection = connection
        (payloads, out) = AsyncStream.makeStream(
            bufferingPolicy: .bufferingOldest(Self.waitingMax))
    }

    /// Posts a message; gives its id.
    @discardableResult
    func post(_ type: MessageType, _ body: some Codable & Sendable, re: String? = nil) -> String {
        let number = counter.withLock {
            $0 += 1
            return $0
        }
        let id = "a\(number)"
        do {
            var payload = try Envelope(type, id: id, re: re, body: body).payload()
            if payload.count > FrameLimits.v1.payloadBytesMax {
                let refusal = Refusal(
                    code: "too_large",
                    reason: "the answer has \(payload.count) bytes, a frame takes "
                        + "\(FrameLimits.v1.payloadBytesMax)")
                payload = try Envelope(.refused, id: id, re: re, body: refusal).payload()
            }
            guard case .enqueued = out.yield(payload) else {
                drop()
                return id
            }
        } catch {
            drop()
        }
        return id
    }

    /// Notes that the coordinator was heard.
    func hear() { heard.withLock { $0 = HostClock.sinceBoot() } }

    /// How long the coordinator has been silent.
    var silence: Milliseconds { Milliseconds(HostClock.sinceBoot() - heard.withLock { $0 }) }

    /// Ends the session once what was posted has left.
    func finish() { out.finish() }

    /// Ends the session.
    func drop() {
        out.finish()
        connection.close()
    }

    /// Sends what is posted, to the end.
    func run() async {
        for await payload in payloads {
            do { try await connection.send(payload) } catch { break }
        }
        connection.close()
    }
}
