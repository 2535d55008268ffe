/// Frames: a 4-byte big-endian length, then that many bytes (wire-v1.md, section "Frames").

/// The limits of wire version 1.
package struct FrameLimits: Hashable, Sendable {
    /// The largest payload of one frame in bytes. Raising it raises what one peer can make the
    /// other hold in memory, for every connection.
    package var payloadBytesMax: Int
    /// The deepest nesting of arrays and objects in a payload. Raising it risks the stack of
    /// recursive decoders.
    package var nestingMax: Int
    /// Limits as given.
    package init(payloadBytesMax: Int, nestingMax: Int) {
        self.payloadBytesMax = payloadBytesMax
        self.nestingMax = nestingMax
    }
    /// 1 MiB, 64 levels.
    package static let v1 = FrameLimits(payloadBytesMax: 1 << 20, nestingMax: 64)
}

/// Why bytes were refused; each closes the connection and harms nothing else.
package enum FrameError: Error, Hashable, Sendable {
    /// A frame said that it holds no bytes.
    case empty
    /// A frame said that it holds more bytes than the limit.
    case tooLong(bytes: Int, limit: Int)
    /// The payload is not UTF-8.
    case notUTF8
    /// The payload is nested deeper than the limit.
    case tooDeep(limit: Int)
    /// The payload is not the JSON of an envelope.
    case notAnEnvelope(String)
    /// A body did not have the fields of its type.
    case badBody(type: String, String)

    /// One sentence for the log and for the peer.
    package var reason: String {
        switch self {
        case .empty: "a frame of zero bytes"
        case .tooLong(let bytes, let limit): "a frame of \(bytes) bytes, the limit is \(limit)"
        case .notUTF8: "a payload that is not UTF-8"
        case .tooDeep(let limit): "JSON nested deeper than \(limit)"
        case .notAnEnvelope(let why): "a payload that is no envelope: \(why)"
        case .badBody(let type, let why): "a malformed body of type \(type): \(why)"
        }
    }
}

/// Writes frames.
package enum FrameEncoder {
    /// The frame of `payload`; throws `FrameError.empty` or `.tooLong`.
    package static func encode(
        _ payload: [UInt8], limits: FrameLimits = .v1
    ) throws(FrameError) -> [UInt8] {
        guard !payload.isEmpty else { throw .empty }
        guard payload.count <= limits.payloadBytesMax else {
            throw .tooLong(bytes: payload.count, limit: limits.payloadBytesMax)
        }
        let length = UInt32(payload.count)
        var frame: [UInt8] = []
        frame.reserveCapacity(4 + payload.count)
        for shift in [24, 16, 8, 0] as [UInt32] {
            frame.append(UInt8(truncatingIfNeeded: length >> shift))
        }
        frame.append(contentsOf: payload)
        return frame
    }
}

/// Takes bytes as they arrive, in pieces of any size, and gives whole payloads.
///
/// It never holds more than one length prefix and what was appended; the caller stops appending
/// while payloads wait. After an error the stream cannot be read on: close it.
package struct FrameDecoder: Sendable {
    private let limits: FrameLimits
    private var buffer: [UInt8] = []
    private var start = 0

    /// A decoder at the beginning of a stream.
    package init(limits: FrameLimits = .v1) { self.limits = limits }

    /// Takes the next bytes of the stream.
    package mutating func append(_ bytes: some Sequence<UInt8>) {
        if start > 0, start == buffer.count {
            buffer.removeAll(keepingCapacity: buffer.capacity <= 1 << 16)
            start = 0
        } else if start > 1 << 16 {
            buffer.removeFirst(start)
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// Bytes taken and not yet given out.
    package var pendingBytes: Int { buffer.count - start }

    /// The next whole payload, or nil until more bytes come.
    /// Throws `FrameError.empty` or `.tooLong` as soon as a length prefix says so.
    package mutating func next() throws(FrameError) -> [UInt8]? {
        guard pendingBytes >= 4 else { return nil }
        var length: UInt32 = 0
        for byte in buffer[start..<start + 4] { length = length << 8 | UInt32(byte) }
        guard length > 0 else { throw .empty }
        guard length <= UInt32(limits.payloadBytesMax) else {
            throw .tooLong(bytes: Int(length), limit: limits.payloadBytesMax)
        }
        guard pendingBytes >= 4 + Int(length) else { return nil }
        let payload = Array(buffer[(start + 4)..<(start + 4 + Int(length))])
        start += 4 + Int(length)
        return payload
    }
}
