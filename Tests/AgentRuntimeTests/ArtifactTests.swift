import AgentCore
import AgentRuntime
import Crypto
import FleetWire
import Foundation
import Synchronization
import Testing

/// Artifacts over the real port: cut, resumed, damaged, pruned.
@Suite(.timeLimit(.minutes(1))) struct ArtifactTests {
    private let bytes = Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 8) })

    private var artifact: ArtifactRef {
        get throws {
            let hex = SHA256.hash(data: bytes).map { String(format: "%02x", $0) }.joined()
            return ArtifactRef(
                name: "app", digest: try #require(Digest(hex)), size: ByteCount(UInt64(bytes.count))
            )
        }
    }

    /// A host whose coordinator's first answers end after as many bytes as `cuts` say.
    private func host(
        _ folder: borrowing TestFolder, cuts: [Int] = []
    ) async throws -> (TestHost, asked: @Sendable () -> Int) {
        let whole = folder.path + "/whole"
        try bytes.write(to: URL(fileURLWithPath: whole))
        var paths: [String] = []
        for cut in cuts {
            let path = folder.path + "/cut-\(cut)"
            try bytes.prefix(cut).write(to: URL(fileURLWithPath: path))
            paths.append(path)
        }
        let answers = paths
        let count = Counter()
        let host = try await TestHost { _ in
            let number = count.next()
            return number < answers.count ? answers[number] : whole
        }
        return (host, { count.value })
    }

    private final class Counter: Sendable {
        private let number = Mutex(0)
        var value: Int { number.withLock { $0 } }
        func next() -> Int {
            number.withLock { number in
                number += 1
                return number - 1
            }
        }
    }

    private func fetched(_ host: TestHost) throws -> Data? {
        FileManager.default.contents(
            atPath: host.state.file("artifacts/\(try artifact.digest.hex)"))
    }

    @Test("a download goes on where an earlier one was cut, with Range")
    func cut() async throws {
        let folder = try TestFolder()
        let (host, asked) = try await host(folder)
        try host.state.write(
            Array(bytes.prefix(100_000)), to: "artifacts/\(try artifact.digest.hex).part")
        try host.start()
        _ = try await host.coordinator.welcome()
        try await host.order(.prepare, host.plan(artifacts: [artifact]))
        _ = try await host.coordinator.report(.prepared)
        // A part that was sent again would be more bytes than the plan says, and refused.
        #expect(asked() == 1)
        #expect(try fetched(host) == bytes)
    }

    @Test("one that is shorter at the coordinator than announced fails at once")
    func short() async throws {
        let folder = try TestFolder()
        let (host, asked) = try await host(folder, cuts: [100_000])
        try host.start()
        _ = try await host.coordinator.welcome()
        try await host.order(.prepare, host.plan(artifacts: [artifact]))
        let failed = try await host.coordinator.report(.failed)
        #expect(
            failed.failure?.contains("has 200000 bytes less than the plan says") == true,
            "\(failed.failure ?? "")")
        #expect(asked() == 1)
    }

    @Test("a damaged one is fetched again, also between preparation and migration")
    func damaged() async throws {
        let folder = try TestFolder()
        let (host, asked) = try await host(folder)
        try host.start()
        _ = try await host.coordinator.welcome()
        let plan = try host.plan(artifacts: [artifact])
        try await host.order(.prepare, plan)
        _ = try await host.coordinator.report(.prepared)
        try host.state.write([1, 2, 3], to: "artifacts/\(artifact.digest.hex)")
        try await host.order(.migrate, plan)
        _ = try await host.coordinator.report(.verified)
        #expect(asked() == 2)
        #expect(try fetched(host) == bytes)
    }

    @Test("what no transaction needs is removed before more is fetched")
    func pruned() async throws {
        let folder = try TestFolder()
        let (host, _) = try await host(folder)
        let old = String(repeating: "a", count: 64)
        try host.state.write([1], to: "artifacts/\(old)")
        try host.state.write([1], to: "artifacts/\(old).part")
        try host.start()
        _ = try await host.coordinator.welcome()
        try await host.order(.prepare, host.plan(artifacts: [artifact]))
        _ = try await host.coordinator.report(.prepared)
        let names = try FileManager.default.contentsOfDirectory(
            atPath: host.state.file("artifacts"))
        #expect(names == [try artifact.digest.hex])
    }

    @Test("one that the disk has no room for is refused before a byte is fetched")
    func tooLarge() async throws {
        let folder = try TestFolder()
        let (host, asked) = try await host(folder)
        try host.start()
        _ = try await host.coordinator.welcome()
        var huge = try artifact
        huge.size = ByteCount(1 << 60)
        try await host.order(.prepare, host.plan(artifacts: [huge]))
        let failed = try await host.coordinator.report(.failed)
        #expect(failed.failure?.contains("are free on the file system of") == true)
        #expect(asked() == 0)
    }
}
