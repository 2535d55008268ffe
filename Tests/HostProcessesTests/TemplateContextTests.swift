import FleetWire
import Glibc
import HostProcesses
import Testing

@Suite struct TemplateContextTests {
    private let context = TemplateContext(
        root: "/srv/h1", host: HostID(unchecked: "web-1"), labels: ["zone": "a", "app.io/x": "y"],
        facts: ["arch": "x86_64"], variables: ["version": "2.0.0", "loop": "{{ vars.version }}"])

    @Test(arguments: [
        ("", ""), ("plain } text {", "plain } text {"),
        ("{{ host.root }}/etc", "/srv/h1/etc"), ("{{host.id}}", "web-1"),
        ("{{ labels.zone }}-{{ facts.arch }}", "a-x86_64"), ("{{ labels.app.io/x }}", "y"),
        ("{{{{ vars.version }}", "{{ vars.version }}"),
        ("{{ vars.loop }}", "{{ vars.version }}"), ("ä{{ vars.version }}ö", "ä2.0.0ö"),
    ])
    func aTemplateIsFilledIn(_ text: String, _ expected: String) throws {
        #expect(try context.fill(text) == expected)
    }

    @Test(arguments: [
        ("{{ vars.versoin }}", "did you mean vars.version?"), ("{{ host.name }}", "host.name"),
        ("{{ lables.zone }}", "did you mean labels.zone?"), ("{{ }}", "not known"),
        ("{{ vars.version", "has no }}"), ("{{ quite.different.thing }}", "not known on this host"),
    ])
    func anErrorNamesTheNearest(_ text: String, _ expected: String) {
        let error = #expect(throws: TemplateError.self) { try context.fill(text) }
        #expect(error?.reason.contains(expected) == true, "\(error?.reason ?? "")")
    }

    @Test func aRunGetsTheMinimalEnvironmentAndItsOwn() throws {
        let step = RunStep(
            argv: [], shell: "echo {{ host.id }}", env: ["V": "{{ vars.version }}"],
            directory: "/opt")
        let run = try context.processRun(of: step, timeout: .seconds(1))
        #expect(run.argv == ["/bin/sh", "-eu", "-c", "echo web-1"])
        #expect(run.directory == "/srv/h1/opt")
        #expect(
            Set(run.environment.keys) == ["PATH", "HOME", "LANG", "BELAY_ROOT", "BELAY_HOST", "V"])
        #expect(run.environment["V"] == "2.0.0")
        #expect(run.environment["BELAY_ROOT"] == "/srv/h1")
    }

    @Test func aRunOutsideTheRootIsRefused() {
        let step = RunStep(argv: ["true"], shell: nil, env: [:], directory: "/../x")
        #expect(throws: TemplateError.self) {
            try context.processRun(of: step, timeout: .seconds(1))
        }
    }
}

@Suite struct HostPathTests {
    @Test func pathsLieBelowTheRoot() throws {
        #expect(try HostPath.below("/no-such-root", "/etc/x") == "/no-such-root/etc/x")
        #expect(try HostPath.below("/", "//etc/./x") == "/etc/x")
        #expect(try HostPath.below("", "/etc/x") == "/etc/x")
        #expect(try HostPath.below("/no-such-root", "/") == "/no-such-root")
    }

    @Test(arguments: ["etc/x", "", "/a/../b", "/..", "/a\0b"])
    func otherPathsAreRefused(_ path: String) {
        #expect(throws: HostPathError.self) { try HostPath.below("/r", path) }
    }

    @Test func aLinkOutOfTheRootIsRefused() throws {
        var template = Array("/tmp/belay-path-XXXXXX".utf8CString)
        let root = String(cString: try #require(mkdtemp(&template)))
        defer {
            unlink(root + "/out")
            unlink(root + "/in")
            rmdir(root + "/real")
            rmdir(root)
        }
        mkdir(root + "/real", 0o700)
        symlink("/etc", root + "/out")
        symlink("real", root + "/in")
        #expect(try HostPath.below(root, "/in/x") == root + "/in/x")
        #expect(throws: HostPathError.self) { try HostPath.below(root, "/out/passwd") }
    }
}

@Suite struct ShownPathTests {
    @Test("paths are shown as the plan names them, and only those below the root")
    func asPlanned() {
        let root = "/srv/h/a1"
        for (text, shown) in [
            ("/srv/h/a1/etc/app was written", "/etc/app was written"),
            ("a=/srv/h/a1/x b=/srv/h/a1/y", "a=/x b=/y"), ("/srv/h/a12/etc", "/srv/h/a12/etc"),
            ("/mnt/srv/h/a1/etc", "/mnt/srv/h/a1/etc"), ("", ""),
            ("leaves /srv/h/a1", "leaves /srv/h/a1"),
        ] {
            #expect(HostPath.asPlanned(text, root: root) == shown)
            #expect(HostPath.asPlanned(text, root: root + "/") == shown)
            #expect(HostPath.asPlanned(text, root: "/") == text)
            #expect(HostPath.asPlanned(text, root: "") == text)
        }
    }
}

@Suite struct RedactorTests {
    @Test(arguments: [
        ("password=hunter2 next", "password=[redacted] next"),
        ("  db_password: 'a b' # x", "  db_password: '[redacted]' # x"),
        ("{\"token\": \"abc\", \"n\": 1}", "{\"token\": \"[redacted]\", \"n\": 1}"),
        ("Authorization: Bearer abc.def", "Authorization: [redacted]"),
        ("sent bearer abc.def now", "sent bearer [redacted] now"),
        ("key AKIAABCDEFGHIJKLMNOP.", "key AKIAABCDEFGHIJKLMNOP."),
        ("key AKIAABCDEFGHIJKLMNOP", "key [redacted]"),
        ("postgres://u:p%40x@db:5432/x", "postgres://u:[redacted]@db:5432/x"),
        ("http://127.0.0.1:8080/a@b", "http://127.0.0.1:8080/a@b"),
        ("tool --password hunter2 go", "tool --password [redacted] go"),
        ("password_file=/etc/x", "password_file=/etc/x"), ("max_tokens: 5", "max_tokens: 5"),
        ("the token is missing", "the token is missing"), ("password=", "password="),
    ])
    func secretsAreTakenOut(_ text: String, _ expected: String) {
        #expect(Redactor.redact(text) == expected)
        #expect(Redactor.redact(expected) == expected)
    }

    @Test func aPrivateKeyIsTakenOutWholeOrCutOff() {
        let key = "-----BEGIN EC PRIVATE KEY-----\nMHcC\nAQEE\n-----END EC PRIVATE KEY-----"
        let whole = Redactor.redact("a\n\(key)\nb")
        #expect(whole.hasPrefix("a\n") && whole.hasSuffix("\nb") && !whole.contains("MHcC"))
        #expect(!Redactor.redact("AQEE\n-----END PRIVATE KEY-----\nb").contains("AQEE"))
        #expect(!Redactor.redact("-----BEGIN PRIVATE KEY-----\nMHcC").contains("MHcC"))
    }
}
