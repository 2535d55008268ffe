import FleetWire
import Glibc
import HostProcesses
import Synchronization
import Testing

@Suite struct ProcessRunTests {
    private func shell(_ script: String, timeout: Milliseconds = .seconds(20)) -> ProcessRun {
        ProcessRun(
            argv: ["/bin/sh", "-c", script], environment: ["PATH": ProcessRun.path],
            directory: "/", timeout: timeout)
    }

    @Test func aProgramGivesItsExitCodeAndBothOutputs() async {
        let result = await shell("echo out; echo err >&2; exit 7").run()
        #expect(result.ending == .exited(7))
        #expect(result.text == "out\nerr\n")
    }

    @Test func theBlockingRunGivesTheSame() {
        let result = shell("printf yes").runBlocking()
        #expect(result.ending == .exited(0))
        #expect(result.text == "yes")
    }

    /// A file without a name, open for reading and writing.
    private func file(_ text: String = "") -> UnsafeMutablePointer<FILE> {
        guard let file = tmpfile() else { preconditionFailure("no temporary file") }
        fputs(text, file)
        rewind(file)
        return file
    }

    @Test(arguments: [false, true])
    func inputAndOutputGoByFilesAndErrorsAreKept(isNoted: Bool) {
        let (input, output) = (file("abc"), file())
        defer {
            fclose(input)
            fclose(output)
        }
        var run = shell("tr a-c A-C; echo why >&2; test ! -e /proc/self/fd/3")
        run.standardInput = fileno(input)
        run.standardOutput = fileno(output)
        if isNoted { run.onStart = { _ in } }
        let result = run.runBlocking()
        #expect(result.ending == .exited(0))
        #expect(result.text == "why\n")
        var bytes = [UInt8](repeating: 0, count: 10)
        #expect(pread(fileno(output), &bytes, 10, 0) == 3)
        #expect(bytes.prefix(3) == Array("ABC".utf8)[...])
    }

    @Test func anOutputFileThatGrowsTooLargeEndsTheRun() {
        let output = file()
        defer { fclose(output) }
        for script in ["exec yes", "printf 12345678901"] {
            var run = shell(script)
            run.standardOutput = fileno(output)
            run.standardOutputBytesMax = 10
            #expect(run.runBlocking().ending == .outputTooLarge)
            ftruncate(fileno(output), 0)
        }
    }

    @Test func aSignalIsToldFromAnExit() async {
        #expect(await shell("kill -9 $$").run().ending == .signalled(SIGKILL))
    }

    @Test func aProgramIsLookedForInTheFixedPathOnly() async {
        var run = shell("")
        run.argv = ["true"]
        #expect(await run.run().ending == .exited(0))
        for name in ["no-such-program", "./true", "bin/true", "/no/such", "", "a\0b"] {
            run.argv = [name]
            guard case .notStarted(let reason) = await run.run().ending else {
                Issue.record("\(name) was started")
                continue
            }
            #expect(!reason.isEmpty)
        }
    }

    @Test func aMissingDirectoryIsSaid() async {
        var run = shell("pwd")
        run.directory = "/no/such/folder"
        #expect(
            await run.run().ending
                == .notStarted("its directory /no/such/folder is missing"))
    }

    @Test func inputIsEmptyAndNoDescriptorIsInherited() async {
        let result = await shell("cat; ls /proc/self/fd | tr '\\n' ' '").run()
        // 3 is the folder that ls itself opened.
        #expect(result.text == "0 1 2 3 ")
    }

    @Test func onlyTheGivenEnvironmentIsSeen() async {
        var run = shell("")
        run.argv = ["/usr/bin/env"]
        run.environment = ["ONLY": "this"]
        #expect(await run.run().text == "ONLY=this\n")
    }

    @Test func theLastBytesOfALongOutputAreKept() async {
        var run = shell("seq 1 100000; echo END")
        run.outputBytesMax = 100
        let result = await run.run()
        #expect(result.ending == .exited(0))
        #expect(result.output.count == 100)
        #expect(result.text.hasSuffix("100000\nEND\n"))
    }

    @Test func aTimeoutEndsATreeThatIgnoresTERM() async throws {
        let seen = Mutex<Int32>(0)
        var run = shell(
            "trap '' TERM; (trap '' TERM; while :; do sleep 0.05; done) & "
                + "while :; do sleep 0.05; done",
            timeout: Milliseconds(150))
        run.grace = Milliseconds(200)
        run.onStart = { group in seen.withLock { $0 = group } }
        let result = await run.run()
        #expect(result.ending == .timedOut)
        #expect(result.took < .seconds(10))
        let group = seen.withLock { $0 }
        #expect(group > 1)
        try await expectGone(group)
    }

    @Test func aTimeoutEndsAChildThatOutlivesTheLeader() async throws {
        let seen = Mutex<Int32>(0)
        var run = shell(
            "(trap '' TERM; while :; do sleep 0.05; done) >/dev/null 2>&1 & sleep 60",
            timeout: Milliseconds(300))
        run.grace = Milliseconds(300)
        run.onStart = { group in seen.withLock { $0 = group } }
        #expect(await run.run().ending == .timedOut)
        try await expectGone(seen.withLock { $0 })
    }

    @Test func aTimeoutEndsAtOnceWhatHeedsTERM() async {
        let result = await shell("echo before; sleep 60", timeout: Milliseconds(100)).run()
        #expect(result.ending == .timedOut)
        #expect(result.text == "before\n")
        #expect(result.took < .seconds(15))
    }

    @Test func aGrandchildThatHoldsThePipeDoesNotHangTheRun() async throws {
        let result = await shell("sleep 30 & echo $!").run()
        #expect(result.ending == .exited(0))
        #expect(result.took < .seconds(10))
        let child = try #require(Int32(result.text.split(separator: "\n").first ?? ""))
        #expect(kill(child, 0) == 0, "what a program left behind is not ended")
        kill(child, SIGKILL)
    }

    @Test func cancellationEndsTheGroup() async throws {
        let seen = Mutex<Int32>(0)
        var run = shell("sleep 60 & sleep 60", timeout: .seconds(60))
        run.onStart = { group in seen.withLock { $0 = group } }
        let copy = run
        let ending = await withTaskGroup(of: ProcessRun.Ending.self) { tasks in
            tasks.addTask { await copy.run().ending }
            while seen.withLock({ $0 }) == 0 { await Task.yield() }
            tasks.cancelAll()
            return await tasks.next()
        }
        #expect(ending == .cancelled)
        try await expectGone(seen.withLock { $0 })
    }

    @Test func manyRunsAtOnceLeaveNoZombie() async {
        let codes = await withTaskGroup(of: ProcessRun.Ending.self) { tasks in
            for code in 0..<40 { tasks.addTask { await shell("exit \(code)").run().ending } }
            var all: Set<ProcessRun.Ending> = []
            for await ending in tasks { all.insert(ending) }
            return all
        }
        #expect(codes == Set((0..<40).map { .exited($0) }))
    }

    /// No living process is in `group`; zombies that nobody reaps do not count.
    private func expectGone(_ group: Int32) async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            // After the name in brackets: state, parent, group.
            let listing = await shell(
                "cat /proc/[0-9]*/stat 2>/dev/null | sed 's/.*) //' "
                    + "| awk '$3 == \(group) && $1 != \"Z\"'"
            ).run()
            if listing.ending == .exited(0) && listing.output.isEmpty { return }
        }
        Issue.record("process group \(group) is still there")
    }
}

@Suite struct ProcessGateTests {
    @Test("a program begins only after its group was noted, as itself")
    func noted() async throws {
        let file = "/tmp/belay-gate-\(UInt64.random(in: 0 ... .max))"
        defer { unlink(file) }
        var run = ProcessRun(
            argv: ["/bin/sh", "-c", "echo $$; cat; touch \(file)"],
            environment: ["PATH": ProcessRun.path], directory: "/", timeout: .seconds(20))
        let seen = Mutex<Int32?>(nil)
        run.onStart = { group in
            usleep(100_000)
            if access(file, F_OK) != 0 { seen.withLock { $0 = group } }
        }
        let result = await run.run()
        #expect(result.ending == .exited(0))
        #expect(result.text == "\(seen.withLock { $0 } ?? 0)\n")
    }

    @Test("arguments reach a program behind the gate as they are")
    func arguments() async {
        var run = ProcessRun(
            argv: ["printf", "%s|", "a b", "", "$x `id` \"", "-n"],
            environment: ["PATH": ProcessRun.path], directory: "/", timeout: .seconds(20))
        run.onStart = { _ in }
        #expect(await run.run().text == "a b||$x `id` \"|-n|")
    }
}
