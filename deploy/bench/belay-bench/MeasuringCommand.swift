import ArgumentParser

/// A command that measures; an interruption and a failure end it in order.
protocol MeasuringCommand: ParsableCommand {
    /// Measures, prints the table and writes the file.
    func measure() throws
}

extension MeasuringCommand {
    func run() throws {
        Interruption.watch()
        do {
            try measure()
        } catch let interrupted as Interrupted {
            Narrator.say("interrupted; everything was removed")
            throw ExitCode(128 + interrupted.signalNumber)
        } catch let failure as BenchFailure {
            Narrator.say(failure.description)
            throw ExitCode(1)
        }
    }
}
