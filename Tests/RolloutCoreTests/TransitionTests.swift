import Foundation
import Testing

@testable import RolloutCore

/// The table of transitions: all that the transcripts, random runs, and every event that could come
/// in any state of a transcript are seen to do. `BELAY_REWRITE=1` writes it anew.
@Suite struct TransitionTests {
    private static let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../docs/reference/transitions.md").standardizedFileURL

    @Test func `Every transition has a golden transcript, and the table tells them all`() throws {
        let stories = try Story.all()
        var known: [Transition: String] = [:]
        for story in stories {
            for one in story.transitions where known[one] == nil { known[one] = story.name }
        }
        let found = Self.possible(in: stories)
        let table = TransitionPage(possible: found.union(known.keys), known: known)
        print(table.coverage)
        #expect(table.missing.isEmpty, "\(table.missing.map(\.text).joined(separator: "\n"))")
        #expect(known.count > 100, "a table of nothing is complete too: \(known.count)")
        if ProcessInfo.processInfo.environment["BELAY_REWRITE"] == "1" {
            try Data(table.text.utf8).write(to: Self.page)
        }
        let kept = try String(contentsOf: Self.page, encoding: .utf8)
        #expect(
            kept == table.text, "differs from \(Self.page.path); BELAY_REWRITE=1 writes it anew")
    }

    /// What one more event can do in any state of a transcript, and what random runs did.
    private static func possible(in stories: [Story]) -> Set<Transition> {
        var found: Set<Transition> = []
        for story in stories where !story.isBranched {
            var seen: Set<String> = []
            for moment in story.moments
            where !moment.isBranch && seen.insert(moment.machine.outline).inserted {
                let new = Exploration(machine: moment.machine).transitions()
                found.formUnion(new)
            }
        }
        for seed in UInt64(1)...200 {
            guard var run = SeededRun(seed: seed) else { continue }
            run.run()
            var machine = RolloutMachine()
            for event in run.journal {
                let before = machine
                _ = machine.handle(event)
                found.formUnion(Transition.made(by: event, before, machine))
            }
        }
        return found
    }
}
