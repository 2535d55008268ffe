import Glibc

/// A program that runs until it is told to stop, and says by a file when it is ready.
struct StartedProgram {
    /// Longer than any start that is worth a number.
    private static let readyWithin = Duration.seconds(120)
    private static let lookMicroseconds: UInt32 = 500
    private let pid: pid_t
    private let command: ToolCommand
    private let runner: ProgramRunner
    private let before = ProcessorTimes.read()
    private let begun = ContinuousClock.now
    /// From before it was started until the file was there.
    let readySeconds: Double

    /// Starts `command` and returns once `mark` is there, which must not be there before. Throws if
    /// the program ends first or is not ready in two minutes.
    init(_ command: ToolCommand, until mark: String, _ runner: ProgramRunner) throws {
        (self.command, self.runner) = (command, runner)
        pid = try runner.start(
            command, output: "\(runner.logs)/output", errors: "\(runner.logs)/errors")
        Interruption.concern(pid)
        while access(mark, F_OK) != 0 {
            if let code = Self.ended(pid, WNOHANG)?.code {
                Interruption.concern(0)
                let said = TextFile.read("\(runner.logs)/errors") ?? ""
                throw BenchFailure("`\(command.shown())` ended with \(code): \(said)")
            }
            guard begun.duration(to: .now) < Self.readyWithin else {
                kill(pid, SIGKILL)
                _ = Self.ended(pid, 0)
                throw BenchFailure("`\(command.shown())` was not ready in two minutes")
            }
            usleep(Self.lookMicroseconds)
        }
        readySeconds = begun.duration(to: .now) / .seconds(1)
    }

    /// Ends it with a signal and waits for it; what it used from start to end.
    func end(by number: Int32) throws -> TimedRun {
        kill(pid, number)
        let ended = Self.ended(pid, 0)
        Interruption.concern(0)
        try Interruption.check()
        guard let ended else { throw BenchFailure("`\(command.shown())` cannot be waited for") }
        return TimedRun(
            seconds: readySeconds, processorSeconds: ended.seconds,
            residentBytes: ended.residentBytes, code: ended.code,
            output: TextFile.read("\(runner.logs)/output") ?? "",
            errors: TextFile.read("\(runner.logs)/errors") ?? "",
            othersShare: ProcessorTimes.share(
                before, ProcessorTimes.read(), without: ended.seconds,
                seconds: begun.duration(to: .now) / .seconds(1)))
    }

    private static func ended(
        _ pid: pid_t, _ options: Int32
    ) -> (code: Int32, seconds: Double, residentBytes: Int)? {
        var status: Int32 = 0
        var usage = rusage()
        var found = wait4(pid, &status, options, &usage)
        while found < 0, errno == EINTR { found = wait4(pid, &status, options, &usage) }
        guard found == pid else { return nil }
        let signalNumber = status & 0x7F
        return (
            signalNumber == 0 ? (status >> 8) & 0xFF : 128 + signalNumber,
            ProgramRunner.seconds(usage.ru_utime) + ProgramRunner.seconds(usage.ru_stime),
            usage.ru_maxrss * 1_024
        )
    }
}
