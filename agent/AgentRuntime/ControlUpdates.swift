import FleetWire
import Glibc
import HostProcesses
import HostSnapshots
import Synchronization

/// What goes to and fro while a request is carried out: progress and lines to who asked, and from
/// there the wish to stop.
package final class ControlUpdates: Sendable {
    /// Why a request is to end early.
    package enum Stop: Sendable { case asked, gone }

    /// Batches of lines that may wait for a client that does not read.
    private static let waitingMax = 64

    /// Raised by either stop.
    let cancellation = OwnThread.Cancellation()
    /// Each stop, once.
    let stops: AsyncStream<Stop>
    /// True if who asked takes lines as they are found, and all of them.
    let streams: Bool
    private let limited: Bool
    private let stopped: AsyncStream<Stop>.Continuation
    private let deliver: @Sendable (ControlLine) -> Void
    private let waiting = Atomic<Int>(0)

    /// Updates that go to `deliver`, on any thread. With `limited` whoever sends lines waits until
    /// earlier ones were `delivered`.
    package init(limited: Bool = false, _ deliver: @escaping @Sendable (ControlLine) -> Void) {
        self.limited = limited
        self.deliver = deliver
        streams = true
        (stops, stopped) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(4))
    }

    /// For who waits for the answer alone, such as the coordinator; lines come in pages of it.
    init() {
        limited = false
        deliver = { _ in }
        streams = false
        (stops, stopped) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(4))
    }

    /// Asks for an early end, or says that nobody waits for the answer any more.
    package func stop(_ stop: Stop) {
        cancellation.cancel()
        stopped.yield(stop)
    }

    /// One batch of lines has left.
    func delivered() { waiting.subtract(1, ordering: .relaxed) }

    func progress(_ progress: PointProgress) { deliver(ControlLine(ControlProgress(progress))) }

    /// Sends lines; blocks the thread while too many wait.
    func send(_ line: ControlLine) {
        if limited {
            while waiting.load(ordering: .relaxed) >= Self.waitingMax, !cancellation.isCancelled {
                usleep(2000)
            }
            waiting.add(1, ordering: .relaxed)
        }
        deliver(line)
    }
}

/// Lines of an answer: streamed as they are found, or the page of them that fits a frame.
final class LinePages<Line> {
    private static var batch: Int { 500 }

    private let stream: (([Line]) -> Void)?
    private let cost: (Line) -> Int
    private var skip: Int
    private var room = FrameLimits.v1.payloadBytesMax / 2
    private var isFull = false
    private var kept: [Line] = []
    private(set) var more = 0

    /// `cost` gives a line's bytes as JSON.
    init(skip: Int?, cost: @escaping (Line) -> Int, stream: (([Line]) -> Void)?) {
        self.stream = stream
        self.cost = cost
        self.skip = stream == nil ? max(0, skip ?? 0) : 0
    }

    func add(_ line: Line) {
        if let stream {
            kept.append(line)
            if kept.count == Self.batch {
                stream(kept)
                kept = []
            }
            return
        }
        if skip > 0 {
            skip -= 1
            return
        }
        room -= cost(line)
        isFull = isFull || room < 0
        if isFull { more += 1 } else { kept.append(line) }
    }

    /// What goes into the answer itself; what was streamed does not.
    func end() -> [Line] {
        guard let stream else { return kept }
        if !kept.isEmpty { stream(kept) }
        return []
    }
}
