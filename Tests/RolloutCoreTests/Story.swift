import Foundation

@testable import RolloutCore

/// A transcript that was run, with the machine after every event.
struct Story {
    struct Moment {
        /// The line of the script that led here, from 1.
        var line: Int
        /// True if it is only one of several things that could have come next.
        var isBranch: Bool
        var machine: RolloutMachine
    }
    var name: String
    var moments: [Moment] = []
    var transitions: Set<Transition> = []

    /// True if it only adds what else could have come in another story.
    var isBranched: Bool { name.hasSuffix("-branches") }

    static func all() throws -> [Story] {
        try TranscriptTests.names.map { name in
            let file = TranscriptTests.folder.appendingPathComponent(name)
            let script = try String(contentsOf: file, encoding: .utf8)
            var run = TranscriptRun()
            for line in script.split(separator: "\n") where line.hasPrefix("> ") {
                run.run(String(line.dropFirst(2)))
            }
            return Story(
                name: String(name.dropLast(4)), moments: run.moments, transitions: run.transitions)
        }
    }
}
