/// One run of the demo, from an empty folder to the table of claims.
struct Demo: Sendable {
    let layout: DemoLayout
    /// Whether the fleet is left running when all is well.
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
        claims.printTable()
        if let failure { Narrator.line("  the demo ended early: \(failure)") }
        Narrator.line("  took \((ContinuousClock.now - began).components.seconds) s")
        do {
            try claims.write(to: layout.claims)
        } catch {
            failure = failure ?? "\(error)"
        }
        if let fleet { FleetSummary(fleet: fleet).printMemory() }
        if keepsRunning, failure == nil, let fleet {
            FleetSummary(fleet: fleet).printHowTo()
        } else {
            fleet?.stop()
            programs.stopAll()
            ProcessTable.end(ledger: layout.ledger, below: layout.directory)
        }
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
