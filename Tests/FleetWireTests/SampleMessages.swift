import FleetWire

/// One message of every type with every field filled in, so that nothing of the schemas is left
/// without a value and nothing of the code without a schema.
enum SampleMessages {
    static let digest = Digest(String(repeating: "ab", count: 32)) ?? zero
    private static let zero = SHA.zero
    static let rollout = RolloutID(unchecked: "registry-2-20261124-a1b2")
    static let point = PointID(unchecked: "20261124T101500123Z-0a1b2c3d")
    static let host = HostID(unchecked: "a1")
    static let now = Timestamp(milliseconds: 1_795_560_000_000)

    /// Stands for a digest that cannot be read.
    private enum SHA {
        static let zero: Digest = {
            guard let digest = Digest(bytes: [UInt8](repeating: 0, count: 32)) else {
                preconditionFailure("32 bytes are a digest")
            }
            return digest
        }()
    }

    static let checks = [
        CheckSpec(
            name: "health",
            kind: .http(HTTPCheck(url: "http://127.0.0.1/healthz", status: [200], contains: "ok")),
            level: .critical, timeout: .seconds(5), phase: "validation"),
        CheckSpec(
            name: "golden",
            kind: .run(
                RunCheck(
                    run: RunStep(
                        argv: ["/bin/true"], shell: "true", env: ["A": "b"], directory: "/"),
                    contains: "ok")), level: .warning),
        CheckSpec(
            name: "space",
            kind: .diskSpace(DiskSpaceCheck(path: "/", bytesMin: ByteCount(1 << 20))),
            level: .info),
        CheckSpec(
            name: "release", kind: .fileDigest(FileDigestCheck(path: "/a", digest: digest))),
        CheckSpec(
            name: "catalog",
            kind: .sqliteIntegrity(SQLiteIntegrityCheck(path: "/a.db", userVersion: 2))),
        CheckSpec(
            name: "port",
            kind: .validator(
                ValidatorCall(
                    id: "tcp",
                    parameters: [
                        "host": .text("db"), "port": .whole(5432), "latency_warn": .whole(1000),
                    ], origins: ["latency_warn": .standard])), onUnknown: .warn),
    ]

    static let components = [
        ComponentSpec(
            name: ComponentName(unchecked: "release"),
            driver: .files(paths: ["/opt/a"], exclude: ["*.log"], data: false), restart: true,
            crossMounts: true, allowEmpty: false),
        ComponentSpec(
            name: ComponentName(unchecked: "settings"), driver: .config(paths: ["/etc/a"]),
            restart: true),
        ComponentSpec(
            name: ComponentName(unchecked: "flags"), driver: .flags(path: "/etc/f.json"),
            restart: false),
        ComponentSpec(
            name: ComponentName(unchecked: "catalog"), driver: .sqlite(path: "/a.db"),
            restart: true),
        ComponentSpec(
            name: ComponentName(unchecked: "service"),
            driver: .service(
                ServiceControl(
                    unit: "a.service", start: ["/bin/a"], stop: ["/bin/b"], status: ["/bin/c"])),
            restart: false),
        ComponentSpec(
            name: ComponentName(unchecked: "certificates"),
            driver: .config(paths: ["/etc/ssl/a"], strict: true), restart: false),
        ComponentSpec(
            name: ComponentName(unchecked: "web"),
            driver: .package(
                PackageComponent(
                    name: "nginx", keep: true, repository: "deb https://deb.example.org/ s main",
                    timeout: .seconds(60))), restart: true),
        ComponentSpec(
            name: ComponentName(unchecked: "orders"),
            driver: .postgres(
                PostgresComponent(
                    database: "orders", host: "/run/postgresql", port: 5432, user: "a",
                    passfile: "/etc/a/pgpass", service: "s", account: "postgres",
                    programs: "/usr/lib/postgresql/15/bin", timeout: .seconds(600))),
            restart: true),
        ComponentSpec(
            name: ComponentName(unchecked: "volume"),
            driver: .btrfs(BtrfsComponent(path: "/srv/a", data: true)), restart: true),
        ComponentSpec(
            name: ComponentName(unchecked: "queue"),
            driver: .command(
                CommandComponent(
                    capture: ["/bin/dump"], restore: ["/bin/load"], verify: ["/bin/check"],
                    remove: ["/bin/drop"], env: ["A": "b"], timeout: .seconds(60),
                    bytesMax: ByteCount(1 << 30), data: true)), restart: true),
    ]

    static let steps: [StepSpec] = {
        let actions: [(String, StepAction)] = [
            (
                "unpack",
                .artifact(
                    ArtifactStep(artifact: "a", destination: "/opt/a/2", link: "/opt/a/current"))
            ),
            ("run", .run(RunStep(argv: ["/bin/true"], shell: "true", env: [:], directory: "/"))),
            (
                "restart",
                .service(
                    ServiceStep(component: ComponentName(unchecked: "service"), verb: .restart))
            ),
            (
                "flags",
                .flags(FlagsStep(path: "/etc/f.json", set: ["new": "on"], define: ["new": "{}"]))
            ),
            (
                "settings",
                .config(ConfigStep(path: "/etc/a", template: "{{ vars.x }}", mode: "0640"))
            ),
            (
                "schema",
                .sqlite(SQLiteStep(path: "/a.db", migrations: [.init(version: 2, sql: "SELECT 1")]))
            ),
            ("settle", .wait(WaitStep(span: .seconds(1), until: checks[0]))),
        ]
        return actions.map {
            StepSpec(
                name: $0.0, action: $0.1, attempts: 2, irreversible: true, network: true,
                phase: "storage")
        }
    }()

    static let plan = HostPlan(
        rollout: rollout, planDigest: digest, labels: ["zone": "a"], variables: ["x": "1"],
        artifacts: [ArtifactRef(name: "a", digest: digest, size: ByteCount(10))],
        components: components,
        stages: [StageSpec(stage: .migration, steps: steps, checks: checks)],
        confirmWithin: .seconds(120), coordinatorLost: .commitIfValid)

    static let summary = PointSummary(
        id: point, at: now, reason: "before migration", rollout: rollout,
        components: [
            PointComponent(
                name: ComponentName(unchecked: "release"), driver: "files", entries: 3,
                bytes: ByteCount(99), notes: ["/a:1: a secret stands in clear"])
        ], digest: digest, name: "before-the-move", inUse: "last good", isDamaged: false)

    static let pointRequest: PointRequest = {
        var request = PointRequest(action: .restore, point: "before-the-move")
        request.other = "latest"
        request.components = components
        request.scope = .full
        request.only = [ComponentName(unchecked: "release")]
        request.name = "before-the-move"
        request.reason = "by hand"
        request.rereads = true
        request.deep = true
        request.dryRun = true
        request.noCapture = true
        request.retention = PointRetention(
            count: 20, age: .seconds(86_400), bytes: ByteCount(1 << 30))
        request.skip = 1000
        return request
    }()

    static let pointReply: PointReply = {
        var reply = PointReply(
            points: [summary], entries: ["-rw-r--r-- 0:0 3 /a"], damaged: ["/a"])
        reply.changes = [
            HostChange(
                component: ComponentName(unchecked: "release"), path: "/a", change: .metadata,
                detail: "mode 0644 → 0600")
        ]
        reply.more = 3
        reply.restore = RestoreReply(
            point: point, before: point, components: [ComponentName(unchecked: "release")],
            changed: 1, removed: 2, took: Milliseconds(40))
        reply.prune = PruneReply(removed: [point], kept: 4, freed: ByteCount(512))
        reply.prune?.deferred = ["points are being read"]
        reply.scrub = ScrubReply(
            objects: 12, bytes: ByteCount(4096), damagedPoints: [point], repaired: 1,
            took: Milliseconds(9))
        return reply
    }()

    static let result = CheckResult(
        name: "health", kind: "http", level: .critical, status: .pass, measured: "status 200",
        remedy: "none", took: Milliseconds(12), threshold: "200 wanted", evidence: ["ok"],
        parameters: [ShownParameter(name: "latency_warn", value: "1s", origin: .standard)],
        metrics: [
            CheckMetric(
                name: "p95", value: 1.5, unit: "ms", warn: "0:2", fail: "0:4", least: 0, most: 10)
        ])

    static let report: TransactionReport = {
        var report = TransactionReport(
            sequence: 7, rollout: rollout, attempt: 1, at: now, kind: .stepFinished)
        report.stage = .migration
        report.step = StepReport(
            index: 0, name: "unpack", phase: "storage", attempt: 1,
            outcome: StepOutcome(
                status: .done, message: "unpacked", output: "", took: Milliseconds(30)))
        report.checks = [result]
        report.point = summary
        report.deadline = now
        report.failure = "none"
        report.mutated = true
        report.scope = .component(ComponentName(unchecked: "release"))
        report.by = .operatorOnHost
        report.took = Milliseconds(5)
        report.evidence = ["log": "line"]
        return report
    }()

    /// The payloads by type, each a whole envelope.
    static func payloads() throws -> [(type: MessageType, payload: [UInt8])] {
        [
            try hello, try welcome,
            try message(
                .heartbeat,
                Heartbeat(
                    now: now, metrics: ["belay_host_load1": 0.5],
                    troubles: [
                        HostTrouble(
                            kind: "point_damaged", subject: point.rawValue,
                            text: "1 object is damaged", since: now)
                    ])),
            try message(
                .order,
                TransactionOrder(
                    rollout: rollout, attempt: 1, verb: .migrate, plan: plan, scope: .full,
                    point: point, acrossPointOfNoReturn: true, why: "wave canary"), gen: true),
            try message(.report, report),
            try message(.acknowledge, Acknowledgement(upTo: 7), gen: true),
            try message(.inspect, InspectRequest(plan: plan), gen: true),
            try message(
                .inspection,
                Inspection(
                    changes: [
                        PlannedChange(
                            step: "migration/flags", subject: "/etc/f.json", action: "modify",
                            detail: "new: off → on")
                    ], state: digest, problems: ["too little space"]), re: "c1-1"),
            try message(
                .check,
                CheckRequest(
                    checks: checks, variables: ["x": "1"], labels: ["zone": "a"], streams: true),
                gen: true),
            try message(.checkResult, result, re: "c1-2"),
            try message(.checked, CheckReply(results: [result]), re: "c1-2"),
            try message(.point, pointRequest, gen: true),
            try message(.points, pointReply, re: "c1-3"),
            try message(.renew, RenewRequest(csr: "-----BEGIN CERTIFICATE REQUEST-----")),
            try message(
                .enrol, EnrolRequest(token: "belay-enroll-v1.x", host: host, csr: "-----BEGIN")),
            try message(
                .certificate, CertificateGrant(certificate: "-----BEGIN", authority: "-----BEGIN"),
                re: "a-1"),
            try message(
                .refused, Refusal(code: "busy", reason: "another rollout", remedy: "wait"),
                re: "c1-4"),
            try message(.unsupported, Refusal(code: "unsupported", reason: "x", remedy: "y")),
            try message(.bye, Farewell(reason: "stopping", retryAfter: .seconds(5))),
        ]
    }

    private static var hello: (type: MessageType, payload: [UInt8]) {
        get throws {
            try message(
                .hello,
                Hello(
                    versions: [1], features: ["points"], agentVersion: "0.1.0",
                    facts: ["arch": "x86_64"], now: now, generation: Generation(rawValue: 3),
                    payloadBytesMax: 1 << 20,
                    open: OpenTransaction(rollout: rollout, attempt: 1, latest: .verified)))
        }
    }

    private static var welcome: (type: MessageType, payload: [UInt8]) {
        get throws {
            try message(
                .welcome,
                Welcome(
                    version: 1, features: ["points"], host: host, heartbeatEvery: .seconds(5),
                    payloadBytesMax: 1 << 20, now: now, acknowledged: 6), re: "a-1", gen: true)
        }
    }

    private static func message(
        _ type: MessageType, _ body: some Codable & Sendable, re: String? = nil, gen: Bool = false
    ) throws -> (type: MessageType, payload: [UInt8]) {
        let envelope = Envelope(
            type, id: "m-1", re: re, gen: gen ? Generation(rawValue: 3) : nil, body: body)
        return (type, try envelope.payload())
    }
}
