import FleetWire
import Glibc

/// Waits for one started program: reads its output, reaps it, and ends its group when it must.
struct ProcessWatch {
    /// How long output that is still in the pipe is read after the program ended. A process that it
    /// left behind may hold the pipe for ever, so the end of the pipe cannot be waited for.
    private static let drain = Duration.milliseconds(100)
    /// How long one look waits; bounds how late an exit without output is seen.
    private static let look: Int32 = 10

    private let run: ProcessRun
    private let pid: Int32
    private let begun: ContinuousClock.Instant
    private var pipe: Int32
    private(set) var output: [UInt8] = []

    init(run: ProcessRun, started: ProcessStart.Started, begun: ContinuousClock.Instant) {
        self.run = run
        pid = started.pid
        pipe = started.output
        self.begun = begun
    }

    /// Returns once the program was reaped, and after a timeout or cancellation its whole group
    /// was ended.
    mutating func finish(_ isCancelled: () -> Bool) -> ProcessRun.Ending {
        defer { closePipe() }
        let deadline = begun + run.timeout.duration
        var exited: ProcessRun.Ending?
        var cut: ProcessRun.Ending?
        while exited == nil && cut == nil {
            read(waiting: Self.look)
            exited = reap()
            if isCancelled() {
                cut = .cancelled
            } else if ContinuousClock.now >= deadline {
                cut = .timedOut
            } else if isOutputTooLarge {
                cut = .outputTooLarge
            }
        }
        if let exited {
            readRest()
            return isOutputTooLarge ? .outputTooLarge : exited
        }
        endGroup()
        readRest()
        return cut ?? .timedOut
    }

    private var isOutputTooLarge: Bool {
        guard let file = run.standardOutput, run.standardOutputBytesMax < .max else { return false }
        var found = stat()
        return fstat(file, &found) == 0 && Int(found.st_size) > run.standardOutputBytesMax
    }

    /// TERM to the group, KILL after the grace or once only its leader is left to be reaped.
    private mutating func endGroup() {
        kill(-pid, SIGTERM)
        let deadline = ContinuousClock.now + run.grace.duration
        var leaderGone = false
        while ContinuousClock.now < deadline {
            read(waiting: Self.look)
            if !leaderGone { leaderGone = reap() != nil }
            // After the leader was reaped its id stays taken as long as the group has a member.
            if leaderGone && kill(-pid, 0) != 0 { return }
        }
        kill(-pid, SIGKILL)
        while !leaderGone {
            read(waiting: Self.look)
            leaderGone = reap() != nil
        }
    }

    private func reap() -> ProcessRun.Ending? {
        var status: Int32 = 0
        let found = waitpid(pid, &status, WNOHANG)
        if found == 0 || (found < 0 && errno == EINTR) { return nil }
        guard found == pid else { return .notStarted("its exit code was lost") }
        let signal = status & 0x7F
        return signal == 0 ? .exited((status >> 8) & 0xFF) : .signalled(signal)
    }

    private mutating func readRest() {
        let deadline = ContinuousClock.now + Self.drain
        while pipe >= 0 && ContinuousClock.now < deadline {
            if !read(waiting: Self.look) { return }
        }
    }

    /// Waits for output and reads it; false if there was none. After the end of the pipe it only
    /// waits.
    @discardableResult
    private mutating func read(waiting milliseconds: Int32) -> Bool {
        guard pipe >= 0 else {
            usleep(UInt32(milliseconds) * 200)
            return false
        }
        var wanted = pollfd(fd: pipe, events: Int16(POLLIN), revents: 0)
        guard poll(&wanted, 1, milliseconds) > 0 else { return false }
        var buffer = [UInt8](repeating: 0, count: 16384)
        let count = Glibc.read(pipe, &buffer, buffer.count)
        if count > 0 {
            output.append(contentsOf: buffer.prefix(count))
            if output.count > run.outputBytesMax {
                output.removeFirst(output.count - run.outputBytesMax)
            }
            return true
        }
        if count == 0 || errno != EINTR { closePipe() }
        return false
    }

    private mutating func closePipe() {
        if pipe >= 0 { close(pipe) }
        pipe = -1
    }
}
