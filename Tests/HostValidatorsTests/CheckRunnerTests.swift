import FleetWire
import FoundationEssentials
import HostProcesses
import HostValidators
import SQLiteFile
import Testing

/// A host below a folder of its own under /tmp, removed with it.
final class CheckRoot {
    let path = "/tmp/belay-checks-\(UInt64.random(in: 0 ... .max))"
    let context: TemplateContext

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        context = TemplateContext(
            root: path, host: HostID(unchecked: "h1"), labels: [:], facts: [:],
            variables: ["n": "5"])
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path + name))
    }

    func check(_ kind: CheckKind, timeout: Milliseconds = .seconds(20)) async throws -> CheckResult
    {
        let results = await CheckRunner(root: path).run(
            [CheckSpec(name: "c", kind: kind, timeout: timeout)], context: context)
        let result = try #require(results.first)
        #expect(results.count == 1 && result.name == "c" && result.kind == kind.name)
        #expect((result.remedy == nil) == (result.status == .pass))
        #expect(!result.measured.isEmpty)
        return result
    }
}

@Suite struct CheckRunnerTests {
    static func script(_ text: String, contains: String? = nil) -> CheckKind {
        .run(
            RunCheck(
                run: RunStep(argv: [], shell: text, env: [:], directory: nil), contains: contains))
    }

    @Test(arguments: [
        ("exit 0", nil, CheckStatus.pass), ("exit 1", nil, .fail), ("exit 21", nil, .fail),
        ("kill -9 $$", nil, .fail), ("echo all fine", "fine", .pass),
        ("echo all {{ vars.n }}", "{{ vars.n }}", .pass), ("echo all", "fine", .fail),
        ("echo {{ vars.m }}", nil, .unknown), ("true", "{{ vars.m }}", .unknown),
    ])
    func aProgramIsJudged(
        _ text: String, _ contains: String?, _ status: CheckStatus
    ) async throws {
        let result = try await CheckRoot().check(Self.script(text, contains: contains))
        #expect(result.status == status, "\(result.measured)")
    }

    @Test func whatCannotRunIsUnknown() async throws {
        let root = try CheckRoot()
        let late = try await root.check(Self.script("sleep 60"), timeout: Milliseconds(100))
        #expect(late.status == .unknown)
        let missing = RunStep(argv: ["/no/such"], shell: nil, env: [:], directory: nil)
        #expect(
            try await root.check(.run(RunCheck(run: missing, contains: nil))).status == .unknown)
        #expect(try await root.check(.unknown("x")).status == .unknown)
    }

    @Test func outputIsRedacted() async throws {
        let result = try await CheckRoot().check(Self.script("echo token=abc; exit 1"))
        #expect(result.measured == "exit 1: token=[redacted]")
    }

    @Test func resultsComeInOrderAndTheirNumberAtOnceIsBounded() async throws {
        let root = try CheckRoot()
        // Each check counts how many run at once: a folder each while it runs.
        let text = "mkdir run-$$; ls -d run-* | wc -l > seen-$$; sleep 0.05; rmdir run-$$"
        let checks = (0..<12).map { CheckSpec(name: "c\($0)", kind: Self.script(text)) }
        let results = await CheckRunner(root: root.path, concurrency: 3)
            .run(checks, context: root.context)
        #expect(results.map(\.name) == checks.map(\.name))
        #expect(results.allSatisfy { $0.status == .pass })
        let seen = try FileManager.default.contentsOfDirectory(atPath: root.path)
            .filter { $0.hasPrefix("seen-") }
            .compactMap { FileManager.default.contents(atPath: root.path + "/" + $0) }
            .compactMap { Int(String(decoding: $0, as: UTF8.self).prefix { $0.isNumber }) }
        #expect(seen.count == 12 && seen.allSatisfy { $0 <= 3 })
        #expect(await CheckRunner(root: root.path).run([], context: root.context).isEmpty)
    }

    @Test func diskSpaceIsComparedWithItsThreshold() async throws {
        let root = try CheckRoot()
        func space(_ path: String, _ bytes: UInt64) async throws -> CheckResult {
            try await root.check(.diskSpace(DiskSpaceCheck(path: path, bytesMin: ByteCount(bytes))))
        }
        let enough = try await space("/", 1)
        #expect(enough.status == .pass && enough.measured.hasSuffix("at least 1 bytes wanted"))
        #expect(try await space("/", .max).status == .fail)
        #expect(try await space("/missing", 1).status == .unknown)
        #expect(try await space("/../x", 1).status == .unknown)
    }

    @Test func aFileIsComparedWithItsDigest() async throws {
        let root = try CheckRoot()
        try root.write("/f", "abc")
        func digest(_ path: String, _ hex: String) async throws -> CheckStatus {
            let wanted = try #require(Digest(hex))
            return try await root.check(.fileDigest(FileDigestCheck(path: path, digest: wanted)))
                .status
        }
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        #expect(try await digest("/f", abc) == .pass)
        #expect(try await digest("/f", String(repeating: "0", count: 64)) == .fail)
        #expect(try await digest("/missing", abc) == .fail)
        #expect(try await digest("/", abc) == .fail)
        #expect(try await digest("/{{ vars.m }}", abc) == .unknown)
    }

    @Test func aDatabaseIsCheckedWhole() async throws {
        let root = try CheckRoot()
        func check(_ path: String, _ version: Int? = nil) async throws -> CheckStatus {
            try await root.check(
                .sqliteIntegrity(SQLiteIntegrityCheck(path: path, userVersion: version)),
                timeout: Milliseconds(2000)
            ).status
        }
        let database = try SQLiteConnection(path: root.path + "/a.db")
        try database.run(
            script: "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p); "
                + "PRAGMA user_version=3")
        #expect(try await check("/a.db") == .pass)
        #expect(try await check("/a.db", 3) == .pass)
        #expect(try await check("/a.db", 4) == .fail)
        try database.run(script: "BEGIN EXCLUSIVE")
        #expect(try await check("/a.db") == .unknown)
        try database.run(script: "ROLLBACK; INSERT INTO c VALUES (7)")
        #expect(try await check("/a.db") == .fail)
        #expect(try await check("/missing.db") == .fail)
        try root.write("/no.db", String(repeating: "no database ", count: 1000))
        #expect(try await check("/no.db") == .fail)
    }
}
