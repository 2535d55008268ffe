import COpenSSL
import FleetTransport
import FleetWire
import NIOCore
import Testing

@Suite("What the listener refuses")
struct RefusalTests {
    /// What is wrong with a client, and what the log says of it.
    enum Fault: String, CaseIterable {
        case otherAuthority, expired, notYetValid, coordinatorName, noName, twoNames, foreignName

        func credentials(_ authority: TestAuthority) throws -> TLSContext.Credentials {
            switch self {
            case .otherAuthority:
                var made = try TestAuthority(named: "another").host()
                made.authority = authority.pem
                return made
            case .expired: return try authority.host(valid: -600 ... -300)
            case .notYetValid: return try authority.host(valid: 300...600)
            case .coordinatorName:
                return try authority.issue(["belay://coordinator/evil"], usage: .host)
            case .noName: return try authority.issue([], usage: .host)
            case .twoNames:
                return try authority.issue(["belay://host/a", "belay://host/b"], usage: .host)
            case .foreignName: return try authority.issue(["belay://host/../b"], usage: .host)
            }
        }

        var reason: String {
            switch self {
            case .otherAuthority: "certificate verify failed"
            case .expired: "certificate has expired (if it should be valid, compare both clocks)"
            case .notYetValid: "not yet valid (if it should be valid, compare both clocks)"
            case .coordinatorName: "a coordinator's certificate (evil) where a host's belongs"
            case .noName: "0 belay:// names"
            case .twoNames: "2 belay:// names"
            case .foreignName: "neither a host nor a coordinator"
            }
        }
    }

    @Test(
        "A client with a wrong certificate is refused with the reason in the log",
        arguments: Fault.allCases)
    func wrongCertificates(fault: Fault) async throws {
        let authority = try TestAuthority()
        let fleet = try await TestFleet(authority: authority)
        let tls = try TLSContext.client(fault.credentials(authority), service: .frames)
        await #expect(throws: (any Error).self) { try await fleet.roundTrip(tls) }
        #expect(await fleet.logs(fault.reason), "\(fleet.log.all)")
        try await expectUnharmed(fleet)
    }

    @Test("A client without a certificate, with an old TLS or an unknown protocol is refused")
    func bareClients() async throws {
        let fleet = try await TestFleet(authority: TestAuthority())
        #expect(try BareTLSClient.refusal(port: fleet.port, alpn: "belay/1") != nil)
        #expect(await fleet.logs("peer did not return a certificate"), "\(fleet.log.all)")
        #expect(try BareTLSClient.refusal(port: fleet.port, alpn: "http/1.1") != nil)
        #expect(try BareTLSClient.refusal(port: fleet.port, alpn: nil) != nil)
        #expect(try BareTLSClient.refusal(port: fleet.port, alpn: "h2") != nil)
        #expect(
            try BareTLSClient.refusal(
                port: fleet.port, alpn: "belay/1", versionMax: TLS1_2_VERSION) != nil)
        #expect(await fleet.logs("unsupported protocol"), "\(fleet.log.all)")
        try await expectUnharmed(fleet)
    }

    @Test(
        "Plain text and garbage are refused with a reason",
        arguments: [
            Array("GET / HTTP/1.1\r\n\r\n".utf8), Array("hello, is it me".utf8),
            [UInt8](repeating: 0, count: 600), [UInt8](repeating: 0xFF, count: 600),
            [0x16, 0x03, 0x01, 0xFF, 0xFF] + [UInt8](repeating: 0x41, count: 20_000),
        ])
    func garbage(bytes: [UInt8]) async throws {
        let fleet = try await TestFleet(authority: TestAuthority())
        let socket = try BareSocket(port: fleet.port)
        _ = socket.send(bytes)
        #expect(socket.isClosedByPeer())
        #expect(await fleet.logs("connection refused"))
        try await expectUnharmed(fleet)
    }

    @Test("A peer that sends a byte at a time is cut off when its time is up")
    func slowPeer() async throws {
        var limits = TransportLimits()
        limits.handshakeTimeout = .milliseconds(300)
        let fleet = try await TestFleet(authority: TestAuthority(), limits: limits)
        let socket = try BareSocket(port: fleet.port)
        let started = ContinuousClock.now
        for byte in [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xFC, 0x03] as [UInt8] {
            _ = socket.send([byte])
        }
        #expect(socket.isClosedByPeer())
        #expect(ContinuousClock.now - started >= .milliseconds(290))
        #expect(await fleet.logs("timed out"))
        try await expectUnharmed(fleet)
    }

    @Test("Half-open connections are limited by address and let go again")
    func halfOpen() async throws {
        var limits = TransportLimits()
        limits.halfOpenPerPeerMax = 3
        limits.handshakeTimeout = .seconds(2)
        let fleet = try await TestFleet(authority: TestAuthority(), limits: limits)
        let first = try BareSocket(port: fleet.port)
        let second = try BareSocket(port: fleet.port)
        let third = try BareSocket(port: fleet.port)
        let fourth = try BareSocket(port: fleet.port)
        #expect(fourth.isClosedByPeer())
        #expect(await fleet.logs("too many half-open connections from this address"))
        #expect(first.isClosedByPeer())
        #expect(second.isClosedByPeer())
        #expect(third.isClosedByPeer())
        try await expectUnharmed(fleet)
    }

    @Test("A revoked host is refused, on a resumed session too")
    func revoked() async throws {
        let authority = try TestAuthority()
        let fleet = try await TestFleet(authority: authority)
        let tls = try TLSContext.client(authority.host("a1"), service: .frames)
        #expect(try await fleet.roundTrip(tls) == [1, 2, 3])
        fleet.revokedHosts.insert(HostID(unchecked: "a1"))
        await #expect(throws: (any Error).self) { try await fleet.roundTrip(tls) }
        #expect(await fleet.logs("host is revoked"))
        try await expectUnharmed(fleet)
    }

    @Test("A resumed session does not outlive the host's certificate")
    func resumedAfterExpiry() async throws {
        let authority = try TestAuthority()
        let fleet = try await TestFleet(authority: authority)
        let tls = try TLSContext.client(authority.host(valid: -60...2), service: .frames)
        #expect(try await fleet.roundTrip(tls) == [1, 2, 3])
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            guard (try? await fleet.roundTrip(tls)) != nil else { break }
        }
        #expect(await fleet.logs("has expired"), "\(fleet.log.all)")
    }

    @Test("A frame over the limit ends its connection and no other")
    func oversizedFrame() async throws {
        let authority = try TestAuthority()
        let fleet = try await TestFleet(authority: authority)
        let tls = try TLSContext.client(authority.host(), service: .frames)
        let connection = try await fleet.connector().connect(tls)
        await #expect(throws: FrameError.self) {
            try await connection.send([UInt8](repeating: 0, count: (1 << 20) + 1))
        }
        connection.close()
        try await expectUnharmed(fleet)
    }

    private func expectUnharmed(_ fleet: TestFleet) async throws {
        let tls = try TLSContext.client(fleet.authority.host("z9"), service: .frames)
        #expect(try await fleet.roundTrip(tls) == [1, 2, 3])
        await fleet.stop()
    }
}
