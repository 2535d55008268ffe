import FleetTransport
import FleetWire
import Foundation
import NIOCore
import Testing

@Suite("Connections between agent and coordinator")
struct ConnectionTests {
    @Test("Frames of every size go both ways, in order")
    func frames() async throws {
        let authority = try TestAuthority()
        let fleet = try await TestFleet(authority: authority)
        let tls = try TLSContext.client(authority.host(), service: .frames)
        let connection = try await fleet.connector().connect(tls)
        #expect(connection.peer?.role == .coordinator("main"))
        let sizes = [1, 2, 100, 16_384, 16_385, 100_000, 1 << 20]
        async let sending: Void = {
            for size in sizes { try await connection.send([UInt8](repeating: 7, count: size)) }
        }()
        var found: [Int] = []
        for try await payload in connection.inbound {
            found.append(payload.count)
            if found.count == sizes.count { break }
        }
        try await sending
        #expect(found == sizes)
        await fleet.stop()
    }

    @Test("A flood is neither lost nor reordered when the reader is slow")
    func flood() async throws {
        let authority = try TestAuthority()
        let fleet = try await TestFleet(authority: authority)
        let tls = try TLSContext.client(authority.host(), service: .frames)
        let connection = try await fleet.connector().connect(tls)
        let count: UInt32 = 5000
        async let sending: Void = {
            for number in 0..<count {
                try await connection.send(withUnsafeBytes(of: number) { Array($0) })
            }
        }()
        var expected: UInt32 = 0
        for try await payload in connection.inbound {
            #expect(payload == withUnsafeBytes(of: expected) { Array($0) })
            expected += 1
            if expected % 500 == 0 { await Task.yield() }
            if expected == count { break }
        }
        try await sending
        await fleet.stop()
    }

    @Test("The second connection resumes the session of the first")
    func resumption() async throws {
        let authority = try TestAuthority()
        let fleet = try await TestFleet(authority: authority)
        let tls = try TLSContext.client(authority.host(), service: .frames)
        #expect(try await fleet.roundTrip(tls) == [1, 2, 3])
        let second = try await fleet.connector().connect(tls)
        #expect(second.wasResumed)
        #expect(second.peer?.role == .coordinator("main"))
        second.close()
        await fleet.stop()
    }

    @Test("A host does not believe a server that is a host, or of another authority")
    func wrongServers() async throws {
        let authority = try TestAuthority()
        let impostor = try await TestFleet(
            authority: authority,
            server: authority.issue(["belay://host/a2"], usage: .coordinator))
        let tls = try TLSContext.client(authority.host(), service: .frames)
        await #expect(
            throws: TLSError.identity("the host a2 answered where the coordinator belongs")
        ) { try await impostor.connector().connect(tls) }
        await impostor.stop()

        let foreign = try await TestFleet(authority: TestAuthority(named: "another"))
        await #expect(throws: TLSError.self) { try await foreign.connector().connect(tls) }
        await foreign.stop()
    }

    @Test("A host that enrols takes only the authority that its token names")
    func pinning() async throws {
        let authority = try TestAuthority()
        let fleet = try await TestFleet(authority: authority)
        let good = try TLSContext.enrolling(pinned: authority.fingerprint)
        #expect(try await fleet.roundTrip(good) == [1, 2, 3])
        let other = try TLSContext.enrolling(pinned: TestAuthority(named: "another").fingerprint)
        let error = await #expect(throws: TLSError.self) {
            try await fleet.connector().connect(other)
        }
        #expect(error.map { "\($0)".contains("is not the one that the token names") } == true)
        await fleet.stop()
    }

    @Test("A connection on which nothing arrives is closed")
    func idle() async throws {
        let authority = try TestAuthority()
        var limits = TransportLimits()
        limits.idleTimeout = .milliseconds(200)
        let fleet = try await TestFleet(authority: authority, limits: limits)
        let tls = try TLSContext.client(authority.host(), service: .frames)
        let connection = try await fleet.connector().connect(tls)
        var iterator = connection.inbound.makeAsyncIterator()
        #expect(try await iterator.next() == nil)
        await fleet.stop()
    }

    @Test("Nobody listening is an error of the system, at once")
    func nobodyThere() async throws {
        let authority = try TestAuthority()
        let fleet = try await TestFleet(authority: authority)
        await fleet.stop()
        let tls = try TLSContext.client(authority.host(), service: .frames)
        await #expect(throws: (any Error).self) { try await fleet.connector().connect(tls) }
    }

    @Test("Artifacts come whole, from any byte on, and not at all when they are unknown")
    func artifacts() async throws {
        let content = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let digest = SHA256Hasher.digest(of: content)
        let path = NSTemporaryDirectory() + "/belay-blob-\(UUID().uuidString)"
        try Data(content).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let authority = try TestAuthority()
        let fleet = try await TestFleet(authority: authority, artifacts: [digest: path])
        let tls = try TLSContext.client(authority.host(), service: .blobs)
        for offset in [0, 1, 65_536, 199_999, 200_000] as [UInt64] {
            var taken: [UInt8] = []
            try await fleet.connector().fetch(digest, from: offset, tls: tls) {
                taken.append(contentsOf: $0.readableBytesView)
            }
            #expect(taken == Array(content[Int(offset)...]), "from \(offset)")
        }
        await #expect(throws: BlobError.refused(status: 416)) {
            try await fleet.connector().fetch(digest, from: 200_001, tls: tls) { _ in }
        }
        await #expect(throws: BlobError.notFound) {
            try await fleet.connector().fetch(authority.fingerprint, from: 0, tls: tls) { _ in }
        }
        await fleet.stop()
    }
}
