import FleetWire
import Testing

@Suite struct ProgramAndWaitTests {
    private func script(_ text: String) -> StepAction {
        .run(RunStep(argv: [], shell: text, env: [:], directory: nil))
    }

    @Test(arguments: [
        ("exit 0", StepStatus.done), ("exit 21", .retryLater), ("exit 1", .failed),
        ("kill -9 $$", .failed), ("echo {{ vars.nope }}", .failed),
    ])
    func theExitCodeDecides(_ text: String, _ status: StepStatus) async throws {
        let outcome = try await StepRoot().run(script(text))
        #expect(outcome.status == status)
        #expect(!outcome.message.isEmpty)
    }

    @Test func outputIsKeptAndRedacted() async throws {
        let outcome = try await StepRoot().run(script("echo v{{ vars.version }} password=abc"))
        #expect(outcome.output == "v2 password=[redacted]\n")
    }

    @Test func aTimeoutIsToldAsSuch() async throws {
        let outcome = try await StepRoot().run(script("sleep 60"), timeout: Milliseconds(100))
        #expect(outcome.status == .timedOut)
    }

    @Test func inspectingARunShowsItsArguments() async throws {
        let root = try StepRoot()
        let change = try await root.inspect(
            .run(
                RunStep(
                    argv: ["/bin/touch", "{{ host.root }}/made", "--token", "abc"], shell: nil,
                    env: [:], directory: nil)))
        #expect(change.action == "run")
        #expect(change.step == "migration/s")
        #expect(change.detail == "/bin/touch /made --token [redacted]")
        #expect(root.read("/made") == nil)
    }

    @Test func anUnknownStepFails() async throws {
        let outcome = try await StepRoot().run(.unknown("teleport"))
        #expect(outcome.status == .failed)
        #expect(outcome.message.contains("teleport"))
    }

    @Test func aSpanIsWaitedForWithinTheTimeout() async throws {
        let root = try StepRoot()
        let short = try await root.run(.wait(WaitStep(span: Milliseconds(50), until: nil)))
        #expect(short.status == .done)
        #expect(short.took >= Milliseconds(50))
        let long = try await root.run(
            .wait(WaitStep(span: .seconds(60), until: nil)), timeout: Milliseconds(50))
        #expect(long.status == .timedOut)
        #expect(try await root.run(.wait(WaitStep(span: nil, until: nil))).status == .failed)
    }

    @Test func aCheckIsTriedUntilItPasses() async throws {
        let root = try StepRoot()
        // Each look adds a line; the third passes.
        let check = CheckSpec(
            name: "third",
            kind: .run(
                RunCheck(
                    run: RunStep(
                        argv: [], shell: "echo x >> looks; test $(wc -l < looks) -ge 3", env: [:],
                        directory: nil), contains: nil)))
        let passed = try await root.run(.wait(WaitStep(span: nil, until: check)))
        #expect(passed.status == .done)
        #expect(root.read("/looks") == "x\nx\nx\n")

        var never = check
        never.kind = .unknown("x")
        let late = try await root.run(
            .wait(WaitStep(span: nil, until: never)), timeout: Milliseconds(600))
        #expect(late.status == .timedOut)
    }
}
