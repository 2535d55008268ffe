import FleetTransport
import FleetWire
import Testing

@Suite("The TLS engine, without any I/O")
struct TLSEngineTests {
    /// Two engines and the bytes between them.
    private struct Pair {
        let client: TLSEngine
        let server: TLSEngine
        var isClientDone = false
        var isServerDone = false

        init() throws {
            let authority = try TestAuthority()
            client = try TLSEngine(TLSContext.client(authority.host(), service: .frames))
            server = try TLSEngine(TLSContext.server(authority.coordinator()))
        }

        /// Carries bytes in pieces of `size` until both are done; false if they stand still.
        mutating func shakeHands(pieces size: Int) throws -> Bool {
            isClientDone = try client.handshake()
            for _ in 0..<10 where !(isClientDone && isServerDone) {
                try carry(client.takeOutput(), to: server, size, done: &isServerDone)
                try carry(server.takeOutput(), to: client, size, done: &isClientDone)
            }
            return isClientDone && isServerDone
        }

        private func carry(
            _ bytes: [UInt8], to engine: TLSEngine, _ size: Int, done: inout Bool
        ) throws {
            for start in stride(from: 0, to: bytes.count, by: size) {
                let piece = Array(bytes[start..<min(start + size, bytes.count)])
                piece.withUnsafeBytes { engine.receive($0) }
                if !done { done = try engine.handshake() }
            }
        }
    }

    @Test(
        "A handshake succeeds whatever the pieces in which bytes arrive", arguments: [1, 7, 4096])
    func pieces(size: Int) throws {
        var pair = try Pair()
        #expect(try pair.shakeHands(pieces: size))
        #expect(pair.client.service == .frames)
        #expect(pair.server.service == .frames)
        #expect(try pair.server.peer()?.host == HostID("a1"))
        #expect(try pair.client.peer()?.role == .coordinator("main"))
    }

    @Test("A megabyte goes through as it was")
    func payload() throws {
        var pair = try Pair()
        #expect(try pair.shakeHands(pieces: 4096))
        let sent = (0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        try sent.withUnsafeBytes { try pair.client.write($0) }
        pair.client.takeOutput().withUnsafeBytes { pair.server.receive($0) }
        var received: [UInt8] = []
        while let bytes = try pair.server.read(), !bytes.isEmpty { received += bytes }
        #expect(received == sent)
        pair.client.close()
        pair.client.takeOutput().withUnsafeBytes { pair.server.receive($0) }
        #expect(try pair.server.read() == nil)
    }

    @Test("A record that was changed on its way breaks the connection")
    func tampering() throws {
        var pair = try Pair()
        #expect(try pair.shakeHands(pieces: 4096))
        try [1, 2, 3].withUnsafeBytes { try pair.client.write($0) }
        var cipher = pair.client.takeOutput()
        cipher[cipher.count - 1] ^= 1
        cipher.withUnsafeBytes { pair.server.receive($0) }
        #expect(throws: TLSError.self) { try pair.server.read() }
    }

    @Test("A handshake with any one byte changed never crashes and never ends in another peer")
    func mutatedHandshake() throws {
        var reference = try Pair()
        _ = try reference.client.handshake()
        let count = reference.client.takeOutput().count
        for index in stride(from: 0, to: count, by: 3) {
            let pair = try Pair()
            _ = try pair.client.handshake()
            var hello = pair.client.takeOutput()
            hello[index % hello.count] ^= 0x80
            hello.withUnsafeBytes { pair.server.receive($0) }
            let isDone = try? pair.server.handshake()
            #expect(isDone != true)
        }
        reference.isClientDone = false
    }
}
