import FleetWire
import Testing
import Validation

@Suite("Calls of validators")
struct CallTests {
    @Test func `the plan wins over the configuration, and that over defaults`() throws {
        let spec = try #require(ValidatorCatalog.spec("memory_available"))
        let call = spec.call(
            spec.call(["percent_min": .whole(20)]),
            configured: [
                "percent_min": .whole(1), "percent_warn": .whole(30), "bytes_min": .whole(5),
            ])
        #expect(call.parameters["percent_min"] == .whole(20))
        #expect(call.parameters["percent_warn"] == .whole(30))
        #expect(
            spec.shown(call).map { "\($0.name) \($0.value) \($0.origin.rawValue)" } == [
                "bytes_min 5 B configuration", "percent_min 20% plan",
                "percent_warn 30% configuration",
            ])
    }

    @Test(arguments: [
        ("tcp", ["host": ParameterValue.text("h")], "`tcp` needs `port`"),
        ("tcp", ["host": .text("h"), "port": .whole(0)], "`port` is no whole number, 1 to 65535"),
        ("tcp", ["host": .text("h"), "port": .whole(1), "prot": .whole(1)], "no parameter `prot`"),
        ("permissions", ["path": .text("/a")], "at least one of"),
        (
            "tcp",
            [
                "host": .text("h"), "port": .whole(1), "latency_max": .whole(1),
                "latency_warn": .whole(2),
            ], "`latency_warn` must not be above `latency_max`"
        ),
        ("run", ["argv": .list([.text("a")]), "shell": .text("b")], "exactly one of"),
    ])
    func `what is wrong with a call is told`(
        id: String, parameters: [String: ParameterValue], problem: String
    ) throws {
        let spec = try #require(ValidatorCatalog.spec(id))
        let problems = spec.problems(of: ValidatorCall(id: id, parameters: parameters))
        #expect(problems.count == 1 && problems[0].reason.contains(problem), "\(problems)")
    }

    @Test func `a default above a threshold of the plan is no contradiction`() throws {
        let spec = try #require(ValidatorCatalog.spec("tcp"))
        let call = spec.call([
            "host": .text("h"), "port": .whole(1), "latency_max": .whole(10),
        ])
        #expect(spec.problems(of: call) == [])
    }

    @Test func `kinds of old forms keep them, and come back as they were`() throws {
        let digest = try #require(Digest(String(repeating: "a", count: 64)))
        let kinds: [CheckKind] = [
            .run(
                RunCheck(
                    run: RunStep(argv: ["a"], shell: nil, env: ["B": "c"], directory: "/d"),
                    contains: "e")),
            .http(HTTPCheck(url: "http://x/", status: [200, 204], contains: nil)),
            .diskSpace(DiskSpaceCheck(path: "/", bytesMin: ByteCount(7))),
            .fileDigest(FileDigestCheck(path: "/f", digest: digest)),
            .sqliteIntegrity(SQLiteIntegrityCheck(path: "/d", userVersion: 3)),
        ]
        for kind in kinds { #expect(kind.call.map(CheckKind.init) == kind) }
        #expect(CheckKind.unknown("x").call == nil)
        let wide = ValidatorCall(
            id: "disk_space",
            parameters: ["path": .text("/"), "bytes_min": .whole(1), "inodes_min": .whole(2)])
        #expect(CheckKind(wide) == .validator(wide))
    }

    @Test func `a call travels as plain JSON and comes back the same`() throws {
        let call = ValidatorCall(
            id: "x",
            parameters: [
                "snake_key": .map(["in_side": .list([.flag(true), .whole(2), .fraction(0.5)])]),
                "text": .text("a"),
            ], origins: ["text": .standard])
        let bytes = try WireJSON.encode(CheckKind.validator(call))
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == #"{"validator":{"id":"x","origins":{"text":"default"},"parameters":"#
                + #"{"snake_key":{"in_side":[true,2,0.5]},"text":"a"}}}"#)
        #expect(try WireJSON.decode(CheckKind.self, from: bytes) == .validator(call))
    }
}

@Suite("Parameters as people write them in JSON")
struct ParameterReaderTests {
    private func value(_ json: String) throws -> ParameterValue {
        try WireJSON.decode(ParameterValue.self, from: Array(json.utf8))
    }

    @Test func `a configuration is read with its quantities`() throws {
        var reader = ParameterReader()
        let read = reader.configuration(
            try value(
                #"{"validators": {"tcp": {"latency_warn": "2s"}, "memory_available": {"#
                    + #""bytes_min": "1GiB", "percent_min": "2.5%"}}}"#))
        #expect(reader.problems == [])
        #expect(read["tcp"] == ["latency_warn": .whole(2000)])
        #expect(
            read["memory_available"] == [
                "bytes_min": .whole(1 << 30), "percent_min": .fraction(2.5),
            ])
    }

    @Test func `all that is wrong is told at once, with its place`() throws {
        var reader = ParameterReader()
        _ = reader.configuration(
            try value(
                #"{"validator": {}, "validators": {"tpc": {}, "tcp": {"port": 1, "latency_max": 5}}}"#
            ))
        #expect(
            reader.problems == [
                "the configuration: there is no `validator`; did you mean `validators`?",
                "validators.tcp.latency_max: expected duration",
                "validators.tcp: there is no `port`; expected `latency_max`, `latency_warn`",
                "validators: there is no `tpc`; did you mean `tcp`?",
            ])
    }

    @Test func `checks are read as plans write them`() throws {
        var reader = ParameterReader()
        let checks = reader.checks(
            try value(
                #"[{"name": "a", "level": "info", "timeout": "3s", "on_unknown": "warn", "#
                    + #""tcp": {"host": "h", "port": 5}}, {"name": "b", "run": {"argv": ["x"]}}]"#),
            at: "checks")
        #expect(reader.problems == [])
        #expect(checks.count == 2)
        #expect(checks[0].level == .info && checks[0].onUnknown == .warn)
        #expect(checks[0].timeout == .seconds(3) && checks[0].kind.name == "tcp")
        let run = RunStep(argv: ["x"], shell: nil, env: [:], directory: nil)
        #expect(checks[1].kind == .run(RunCheck(run: run, contains: nil)))
    }

    @Test(arguments: [
        (#"{}"#, "checks: expected a list"),
        (#"[{"name": "a"}]"#, "checks[0]: a check names exactly one validator"),
        (#"[{"name": "a", "tcp": {"host": "h"}}]"#, "checks[0].tcp: `tcp` needs `port`"),
        (#"[{"tcp": {"host": "h", "port": 1}}]"#, "checks[0]: a check needs a `name`"),
        (
            #"[{"name": "a", "run": {"argv": ["x"]}}, {"name": "a", "run": {"argv": ["x"]}}]"#,
            "checks: two checks have the name `a`"
        ),
    ])
    func `checks that cannot be are refused`(json: String, problem: String) throws {
        var reader = ParameterReader()
        _ = reader.checks(try value(json), at: "checks")
        #expect(reader.problems == [problem])
    }
}
