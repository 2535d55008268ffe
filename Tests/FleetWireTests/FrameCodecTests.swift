import FleetWire
import Testing

@Suite("Frames")
struct FrameCodecTests {
    private static let payloads: [[UInt8]] = [
        Array("{}".utf8), Array(#"{"type":"hello"}"#.utf8), [UInt8](repeating: 0x41, count: 70_000),
        Array("x".utf8),
    ]

    private static func stream() throws -> [UInt8] {
        try payloads.flatMap { try FrameEncoder.encode($0) }
    }

    @Test("A stream gives the same payloads in pieces of any size", arguments: [1, 2, 3, 5, 4096])
    func piecesOfAnySize(size: Int) throws {
        let stream = try Self.stream()
        var decoder = FrameDecoder()
        var found: [[UInt8]] = []
        for start in stride(from: 0, to: stream.count, by: size) {
            decoder.append(stream[start..<min(start + size, stream.count)])
            while let payload = try decoder.next() { found.append(payload) }
        }
        #expect(found == Self.payloads)
        #expect(decoder.pendingBytes == 0)
    }

    @Test("All frames of a burst come out of one append")
    func burst() throws {
        var decoder = FrameDecoder()
        let frame = try FrameEncoder.encode([1])
        decoder.append(Array(repeating: frame, count: 10_000).joined())
        var count = 0
        while try decoder.next() != nil { count += 1 }
        #expect(count == 10_000)
    }

    @Test("A stream that is cut off anywhere gives the whole frames before it and waits")
    func truncatedEverywhere() throws {
        let small: [[UInt8]] = [[1], [2, 3], [4, 5, 6]]
        let stream = try small.flatMap { try FrameEncoder.encode($0) }
        for end in 0...stream.count {
            var decoder = FrameDecoder()
            decoder.append(stream[..<end])
            var found: [[UInt8]] = []
            while let payload = try decoder.next() { found.append(payload) }
            #expect(found == Array(small.prefix(found.count)))
            #expect(found.reduce(0) { $0 + $1.count + 4 } + decoder.pendingBytes == end)
        }
    }

    @Test("A length of zero is refused at once")
    func zeroLength() {
        var decoder = FrameDecoder()
        decoder.append([0, 0, 0, 0])
        #expect(throws: FrameError.empty) { try decoder.next() }
        #expect(throws: FrameError.empty) { try FrameEncoder.encode([]) }
    }

    @Test("A length over the limit is refused before a byte of it is held")
    func tooLong() {
        let limits = FrameLimits(payloadBytesMax: 8, nestingMax: 4)
        var decoder = FrameDecoder(limits: limits)
        decoder.append([0, 0, 0, 9])
        #expect(throws: FrameError.tooLong(bytes: 9, limit: 8)) { try decoder.next() }
        var wild = FrameDecoder()
        wild.append([0xFF, 0xFF, 0xFF, 0xFF])
        #expect(throws: FrameError.tooLong(bytes: 0xFFFF_FFFF, limit: 1 << 20)) {
            try wild.next()
        }
        #expect(throws: FrameError.tooLong(bytes: 9, limit: 8)) {
            try FrameEncoder.encode([UInt8](repeating: 0, count: 9), limits: limits)
        }
    }

    @Test("Random bytes never crash the decoder or the reader of messages")
    func randomBytes() {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
        let alphabet = Array(#"{}[]",:\0123456789truefalsenull"typeidbodyhello"#.utf8)
        for _ in 0..<3000 {
            let length = Int(next() % 120) + 1
            let bytes = (0..<length).map { _ in
                next() % 4 == 0
                    ? UInt8(truncatingIfNeeded: next())
                    : alphabet[Int(next() % UInt64(alphabet.count))]
            }
            var decoder = FrameDecoder(limits: FrameLimits(payloadBytesMax: 64, nestingMax: 8))
            decoder.append(bytes)
            while let payload = try? decoder.next() { _ = try? ReceivedMessage(payload: payload) }
            if let message = try? ReceivedMessage(payload: bytes) {
                _ = try? message.body(TransactionOrder.self)
            }
        }
    }

    @Test("Every message survives the loss of any one byte without a crash")
    func mutatedMessages() throws {
        for (_, payload) in try SampleMessages.payloads() {
            for index in stride(from: 0, to: payload.count, by: max(1, payload.count / 200)) {
                var mutated = payload
                mutated[index] ^= 0x21
                _ = try? SpecificationTests.rewrite(mutated)
                mutated.remove(at: index)
                _ = try? SpecificationTests.rewrite(mutated)
            }
        }
    }

    @Test("Nesting is refused past the limit, wherever it stands, and not inside strings")
    func nesting() throws {
        let limits = FrameLimits(payloadBytesMax: 1 << 20, nestingMax: 3)
        let deep = Array("[[[[]]]]".utf8)
        #expect(throws: FrameError.tooDeep(limit: 3)) { try WireJSON.check(deep, limits: limits) }
        try WireJSON.check(Array(#"{"a":"[[[[[[\"[[["}"#.utf8), limits: limits)
        let wild = [UInt8](repeating: UInt8(ascii: "["), count: 1 << 20)
        #expect(throws: FrameError.tooDeep(limit: 64)) { try ReceivedMessage(payload: wild) }
    }
}
