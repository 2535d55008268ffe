import FleetWire
import FoundationEssentials
import HostSteps
import Testing

@Suite struct ArtifactStepTests {
    private static let digests = ["1", "2", "a"].compactMap {
        Digest(String(repeating: $0, count: 64))
    }

    private func run(
        _ root: StepRoot, _ file: String, digest: Int = 0, link: String? = "/opt/current",
        destination: String = "/opt/app", timeout: Milliseconds = .seconds(30)
    ) async throws -> StepOutcome {
        let reference = ArtifactRef(
            name: "app", digest: Self.digests[digest], size: ByteCount(1))
        let path = root.path + file
        return await root.runner(artifacts: { _ in path }).run(
            StepSpec(
                name: "s",
                action: .artifact(
                    ArtifactStep(artifact: "app", destination: destination, link: link)),
                timeout: timeout),
            in: try root.plan(artifacts: [reference]), context: root.context)
    }

    private func root() throws -> StepRoot {
        let root = try StepRoot()
        try root.shell(
            """
            mkdir opt src src/bin; echo one > src/bin/app; chmod 755 src/bin/app
            ln -s bin/app src/run; tar -cf one.tar -C src .; tar -czf one.tgz -C src .
            echo two > src/bin/app; tar -czf two.tgz -C src .
            """)
        return root
    }

    @Test(arguments: ["/one.tar", "/one.tgz"])
    func anArchiveIsUnpackedAndLinkedAndTheSecondRunDoesNothing(_ file: String) async throws {
        let root = try root()
        let first = try await run(root, file)
        #expect(first.status == .done, "\(first.message) \(first.output)")
        #expect(root.read("/opt/current/run") == "one\n")
        #expect(try root.shell("readlink opt/current; stat -c %a opt/app/bin/app") == "app\n755\n")
        let inode = try root.shell("stat -c %i opt/app")
        let again = try await run(root, file)
        #expect(again.status == .done && again.message.hasSuffix("already"))
        #expect(try root.shell("stat -c %i opt/app") == inode)
        #expect(try root.names("/opt") == ["app", "current"])
    }

    @Test func anotherArtifactIsExchangedWhole() async throws {
        let root = try root()
        #expect(try await run(root, "/one.tgz").status == .done)
        try root.write("/opt/app/left-over", "x")
        #expect(try await run(root, "/two.tgz", digest: 1).status == .done)
        #expect(root.read("/opt/current/run") == "two\n")
        #expect(root.read("/opt/app/left-over") == nil)
        #expect(try root.names("/opt") == ["app", "current"])
    }

    @Test func whatATryThatWasCutOffLeftIsClearedAway() async throws {
        let root = try root()
        #expect(try await run(root, "/one.tgz").status == .done)
        try root.shell(
            """
            mkdir opt/app.new-belay; echo half > opt/app.new-belay/x
            echo half > opt/app.new-belay.tar; ln -s nowhere opt/current.belay-new
            ln -sfn elsewhere opt/current
            """)
        #expect(try await run(root, "/two.tgz", digest: 1).status == .done)
        #expect(root.read("/opt/current/run") == "two\n")
        #expect(try root.names("/opt") == ["app", "current"])
        // Cut off right after the exchange: the old folder stands beside.
        try root.shell("mkdir opt/app.new-belay; echo old > opt/app.new-belay/x")
        #expect(try await run(root, "/two.tgz", digest: 1).message.hasSuffix("already"))
        #expect(try root.names("/opt") == ["app", "current"])
    }

    @Test func inspectingSaysWhatWouldChange() async throws {
        let root = try root()
        let reference = ArtifactRef(name: "app", digest: Self.digests[0], size: ByteCount(1))
        let plan = try root.plan(artifacts: [reference])
        let action = StepAction.artifact(
            ArtifactStep(artifact: "app", destination: "/opt/app", link: "/opt/current"))
        let before = try await root.inspect(action, plan: plan)
        #expect(before.action == "create")
        #expect(before.detail.hasSuffix("/opt/current: absent -> app"))
        #expect(try await run(root, "/one.tgz").status == .done)
        #expect(try await root.inspect(action, plan: plan).action == "none")
        try root.shell("ln -sfn other opt/current")
        #expect(try await root.inspect(action, plan: plan).action == "switch")
    }

    /// What each hostile archive holds, as Python's tarfile makes it.
    @Test(arguments: [
        "add('../evil')", "add('/tmp/belay-evil')", "add('a/../../evil')",
        "add('x', tarfile.SYMTYPE, '../../etc')", "add('x', tarfile.SYMTYPE, '/etc')",
        "add('x', tarfile.SYMTYPE, '/etc'); add('x/evil')",
        "add('d', tarfile.DIRTYPE); add('x', tarfile.SYMTYPE, 'd'); add('x/evil')",
        "add('x', tarfile.LNKTYPE, '../src/bin/app')", "add('x', tarfile.LNKTYPE, '/etc/passwd')",
        "add('dev', tarfile.CHRTYPE)", "add('dev', tarfile.BLKTYPE)", "add('p', tarfile.FIFOTYPE)",
        "add('n/' * 120 + '../' * 130 + 'evil')", "add('x' * 50 + '/../' * 40 + 'evil')",
        "add('x', tarfile.SYMTYPE, 'a/' * 80 + '../' * 90 + 'evil')",
    ])
    func hostileArchivesAreRefusedAndTouchNothing(_ entries: String) async throws {
        let root = try root()
        let script = """
            import tarfile, io
            for form, name in ((tarfile.GNU_FORMAT, 'bad1.tar'), (tarfile.PAX_FORMAT, 'bad2.tar')):
                t = tarfile.open(name, 'w', format=form)
                def add(n, kind=tarfile.REGTYPE, to=''):
                    i = tarfile.TarInfo(n); i.type = kind; i.linkname = to
                    d = b'evil' if kind == tarfile.REGTYPE else b''
                    i.size = len(d); t.addfile(i, io.BytesIO(d))
                add('good'); \(entries); t.close()
            """
        try root.write("/make.py", script)
        try root.shell("python3 make.py; gzip -k bad1.tar")
        let listing = "find . /tmp/belay-evil 2>/dev/null | sort || true"
        let before = try root.shell(listing)
        for file in ["/bad1.tar", "/bad2.tar", "/bad1.tar.gz"] {
            let outcome = try await run(root, file)
            #expect(outcome.status == .failed, "\(file): \(outcome.message)")
            #expect(
                outcome.message.hasPrefix("the archive holds") || outcome.message.contains("puts"))
        }
        #expect(try root.shell(listing) == before)
    }

    @Test func whatIsNoArchiveOrIsCutOffFails() async throws {
        let root = try root()
        try root.write("/text", String(repeating: "no archive ", count: 200))
        try root.shell("head -c 700 one.tar > cut.tar; head -c 60 one.tgz > cut.tgz; : > empty")
        for file in ["/text", "/cut.tar", "/cut.tgz", "/empty", "/missing"] {
            #expect(try await run(root, file).status == .failed, "\(file)")
        }
        #expect(try root.names("/opt").isEmpty)
    }

    @Test func placesThatCannotBeReplacedAreRefused() async throws {
        let root = try root()
        try root.shell("mkdir opt/current; echo x > opt/file")
        #expect(try await run(root, "/one.tgz").message.contains("not a symbolic link"))
        #expect(try await run(root, "/one.tgz", destination: "/opt/file").status == .failed)
        #expect(try await run(root, "/one.tgz", destination: "/").status == .failed)
        #expect(try await run(root, "/one.tgz", destination: "/../x").status == .failed)
        #expect(try root.names("/opt") == ["current", "file"])
    }
}
