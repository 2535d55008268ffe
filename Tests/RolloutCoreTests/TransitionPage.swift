/// `docs/reference/transitions.md`.
struct TransitionPage {
    let possible: Set<Transition>
    let known: [Transition: String]

    var missing: [Transition] { possible.filter { known[$0] == nil }.sorted() }

    var coverage: String {
        "transitions: \(known.count) of \(possible.count) have a golden transcript"
    }

    var text: String {
        """
        # Transitions

        Every way in which one event moves a rollout or one of its hosts, and a transcript of `Tests/RolloutCoreTests/Transcripts` that shows it.
        A host is looked at before and after the whole event: what it only passes through within one event does not count.
        The test `TransitionTests` finds the transitions by giving every event that could come to every state of every transcript, and by random runs; it fails for one without a transcript.
        `BELAY_REWRITE=1 swift test --filter 'TranscriptTests|TransitionTests'` writes the transcripts and this page anew.

        \(known.count) of \(possible.count) transitions have a transcript.

        ## Of a rollout

        \(table(.rollout))

        ## Of a host

        \(table(.host))

        """
    }

    private static let folder = "../../Tests/RolloutCoreTests/Transcripts"

    private func table(_ subject: Transition.Subject) -> String {
        let rows = possible.filter { $0.subject == subject }.sorted().map { one in
            let shown = known[one].map { "[\($0)](\(Self.folder)/\($0).txt)" }
            return "| \(one.from) | \(one.event) | \(one.to) | \(shown ?? "none") |"
        }
        return (["| from | event | to | shown by |", "|---|---|---|---|"] + rows)
            .joined(separator: "\n")
    }
}
