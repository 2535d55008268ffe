import ArgumentParser
import Dispatch
import Glibc

/// `belay-demo`: the first whole rollout, with real processes under one folder.
@main
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "belay-demo",
        abstract: "Plays six scenes of a staged rollout and checks each claim from outside.",
        subcommands: [RunCommand.self, StopCommand.self], defaultSubcommand: RunCommand.self)
}

/// Where the demo lies and what it is made of.
struct DemoOptions: ParsableArguments {
    @Option(help: "The folder of everything that the demo makes.")
    var dir = ".build/demo"
    @Option(help: "The folder with the built programs; default is that of this program.")
    var programs: String?
    @Option(help: "The folder with the demo's plans and datasets.")
    var sources = "deploy/demo"

    func layout() throws -> DemoLayout {
        try DemoLayout(directory: dir, programs: programs, sources: sources)
    }
}

/// `belay-demo stop`: ends what a demo left running.
struct StopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Stop the fleet that a demo left running.")

    @OptionGroup var options: DemoOptions

    func run() async throws {
        let layout = try options.layout()
        ProcessTable.end(ledger: layout.ledger, below: layout.directory)
        Narrator.line("everything of \(layout.shortened(layout.directory)) is stopped")
    }
}

/// `belay-demo run`: all scenes.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Make a fleet, play all scenes, check all claims.")

    @OptionGroup var options: DemoOptions
    @Flag(help: "Stop everything at the end, on a terminal too.")
    var stop = false

    func run() async throws {
        let layout = try options.layout()
        // A reader that goes away, as `head` does, must not leave a fleet behind.
        signal(SIGPIPE, SIG_IGN)
        let lock = try DemoLock(layout)
        defer { withExtendedLifetime(lock) {} }
        ProcessTable.end(ledger: layout.ledger, below: layout.directory)
        try layout.makeEmpty()
        let demo = Demo(layout: layout, keepsRunning: Narrator.isTerminal && !stop)
        let play = Task { await demo.play() }
        let sources = [SIGINT, SIGTERM, SIGHUP].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { play.cancel() }
            source.resume()
            return source
        }
        let succeeded = await play.value
        for source in sources { source.cancel() }
        guard succeeded else { throw ExitCode(play.isCancelled ? 130 : 1) }
    }
}
