/// One run of the demo, from an empty folder to the table of claims.
struct Demo: Sendable {
    let layout: DemoLayout
    /// Whether the fleet is left running at the end.
    let keepsRunning: Bool

    private let claims = Claims()

    init(layout: DemoLayout, keepsRunning: Bool) {
        self.layout = layout
        self.keepsRunning = keepsRunning
    }

    /// Plays all scenes; true if every claim held. Everything started is stopped, unless kept.
    func play() async -> Bool {
        let programs = Programs(layout: layout)
        let began = ContinuousClock.now
        var fleet: DemoFleet?
        var failure: String?
        do {
            let made = try await DemoFleet(layout: layout, programs: programs, claims: claims)
            fleet = made
            try await scenes(made)
        } catch is CancellationError {
            failure = "interrupted"
        } catch {
            failure = "\(error)"
            claims.check(
                claims.all.last?.scene ?? 0, "the demo comes to its end", false, seen: "\(error)")
        }
        if failure != nil { Narrator.showCursor() }
        Narrator.title("The end")
        claims.printResult()
        if failure == nil, let fleet { FleetSummary(fleet: fleet).printMemory() }
        do {
            try claims.write(to: layout.claims)
            if keepsRunning, failure == nil, let fleet {
                try FleetSummary(fleet: fleet).printHowTo()
            }
        } catch {
            failure = failure ?? "\(error)"
        }
        if let failure { Narrator.line("  ended early: \(failure)") }
        let stops = !keepsRunning || failure != nil
        if stops {
            fleet?.stop()
            programs.stopAll()
            ProcessTable.end(ledger: layout.ledger, below: layout.directory)
        }
        let seconds = (ContinuousClock.now - began).components.seconds
        Narrator.line(
            "  took \(seconds) s; claims and logs in \(layout.shortened(layout.directory))"
                + (stops ? "; everything is stopped" : ""))
        return failure == nil && claims.allHeld
    }

    private func scenes(_ fleet: DemoFleet) async throws {
        var memory = SceneMemory()
        try await Scene1(fleet: fleet).play(&memory)
        try await Scene2(fleet: fleet).play(&memory)
        try await Scene3(fleet: fleet).play()
        try await Scene4(fleet: fleet).play()
        try await Scene5(fleet: fleet).play()
        try await Scene6(fleet: fleet).play(memory)
    }
}
