import AsyncHTTPClient
import CoordinatorServer
import FleetTransport
import FleetWire
import Foundation
import NIOCore
import NIOHTTP1
import OperatorAPI
import Testing

@Suite("Artifacts", .serialized)
struct ArtifactTests {
    @Test("are kept once their digest is right, and reach agents from any offset")
    func upload() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.memory, in: scratch) { coordinator in
            let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
            let digest = SHA256Hasher.digest(of: bytes)
            let path = "/v1/artifacts/\(digest.hex)"
            #expect(try await coordinator.api.send(.HEAD, path).status == 404)
            let body = HTTPClientRequest.Body.bytes(ByteBuffer(bytes: bytes))
            #expect(try await coordinator.api.send(.PUT, path, body).status == 201)
            #expect(try await coordinator.api.send(.HEAD, path).status == 200)
            #expect(try await coordinator.api.send(.PUT, path, body).status == 200)
            let file = scratch.path + "/artifacts/" + digest.hex
            let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions]
            #expect(mode as? Int == 0o600)
            let token = try await coordinator.api.token()
            let credentials = try await TestAgent.enrol("h1", token: token, at: coordinator)
            let tls = try TLSContext.client(credentials, service: .blobs)
            for offset: UInt64 in [0, 1, 2_999_999] {
                var fetched: [UInt8] = []
                try await TestAgent.connector(coordinator.agentsPort).fetch(
                    digest, from: offset, tls: tls
                ) { fetched += $0.readableBytesView }
                #expect(fetched == Array(bytes[Int(offset)...]))
            }
        }
    }

    @Test("with wrong bytes or an ill-formed digest are refused, and nothing is left of them")
    func wrong() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.memory, in: scratch) { coordinator in
            let other = SHA256Hasher.digest(of: [1])
            let answer = try await coordinator.api.send(
                .PUT, "/v1/artifacts/\(other.hex)", .bytes(ByteBuffer(bytes: [2])))
            #expect(answer.status == 400 && answer.code == "invalid")
            for name in ["abc", String(repeating: "Z", count: 64), "..%2F..%2Fetc"] {
                let answer = try await coordinator.api.send(
                    .PUT, "/v1/artifacts/\(name)", .bytes(ByteBuffer(bytes: [2])))
                #expect(answer.status == 400 || answer.status == 404)
            }
            let left = try FileManager.default.contentsOfDirectory(
                atPath: scratch.path + "/artifacts")
            #expect(left.isEmpty)
        }
    }

    @Test("that break off, or are longer than allowed, leave nothing")
    func interrupted() async throws {
        let scratch = try Scratch()
        let directory = scratch.path + "/artifacts"
        let store = try ArtifactStore(directory: directory, bytesMax: 10)
        let digest = SHA256Hasher.digest(of: [1, 2, 3])
        let broken = AsyncThrowingStream<ByteBuffer, any Error> { stream in
            stream.yield(ByteBuffer(bytes: [1, 2]))
            stream.finish(throwing: Late(what: "the rest"))
        }
        await #expect(throws: Late.self) {
            _ = try await store.receive(digest, length: 3, body: broken)
        }
        func pieces(_ count: Int) -> AsyncThrowingStream<ByteBuffer, any Error> {
            AsyncThrowingStream { stream in
                for _ in 0..<count { stream.yield(ByteBuffer(bytes: [1, 2, 3])) }
                stream.finish()
            }
        }
        for (count, length): (Int, Int64?) in [(4, nil), (1, 11), (1, 2)] {
            await #expect(throws: APIFailure.self) {
                _ = try await store.receive(digest, length: length, body: pieces(count))
            }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory).isEmpty)
        #expect(try await store.receive(digest, length: 3, body: pieces(1)))
        #expect(try await store.receive(digest, length: 3, body: pieces(1)) == false)
        try Data([1]).write(to: URL(fileURLWithPath: directory + "/.upload-left"))
        _ = try ArtifactStore(directory: directory)
        let left = try FileManager.default.contentsOfDirectory(atPath: directory)
        #expect(left == [digest.hex])
    }
}
