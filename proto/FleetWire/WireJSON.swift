import FoundationEssentials

/// JSON as it stands on the wire and in both journals: keys in snake_case and sorted, so that equal
/// values are equal bytes; numbers of time are milliseconds.
package enum WireJSON {
    /// The canonical bytes of `value`.
    package static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return Array(try encoder.encode(value))
    }

    /// Decodes `bytes` after the checks that keep a decoder safe: UTF-8 and nesting.
    /// Throws `FrameError.notUTF8`, `FrameError.tooDeep`, or the decoder's `DecodingError`.
    package static func decode<Value: Decodable>(
        _ type: Value.Type, from bytes: [UInt8], limits: FrameLimits = .v1
    ) throws -> Value {
        let keys = try scan(bytes, limits: limits)
        let decoder = keys == .plain ? plainDecoder : snakeDecoder
        return try decoder.decode(type, from: Data(bytes))
    }

    /// Refuses bytes that are not UTF-8 or that nest too deep, before any recursive decoder.
    package static func check(_ bytes: [UInt8], limits: FrameLimits) throws(FrameError) {
        _ = try scan(bytes, limits: limits)
    }

    private static let plainDecoder = JSONDecoder()

    private static let snakeDecoder = {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }()

    /// What a decoder has to do with keys.
    private enum Keys {
        /// No key changes by conversion from snake_case, which is most of the cost of decoding.
        case plain
        case snake
    }

    private static func scan(
        _ bytes: [UInt8], limits: FrameLimits
    ) throws(FrameError) -> Keys {
        guard String(validating: bytes, as: UTF8.self) != nil else { throw .notUTF8 }
        var depth = 0
        var string = KeyScan()
        var inString = false
        var keys = Keys.plain
        for byte in bytes {
            if inString {
                inString = string.take(byte)
                continue
            }
            switch byte {
            case UInt8(ascii: "\""):
                inString = true
                string = KeyScan()
            case UInt8(ascii: ":"): if string.mayConvert { keys = .snake }
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                guard depth <= limits.nestingMax else { throw .tooDeep(limit: limits.nestingMax) }
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
        }
        return keys
    }

    /// One string of a JSON text, byte by byte.
    private struct KeyScan {
        /// True if it changes by conversion from snake_case, should it be a key: an underscore
        /// follows something else. One that is escaped is taken for such.
        private(set) var mayConvert = false
        private var isBegun = false
        private var isEscaped = false

        /// False at its end.
        mutating func take(_ byte: UInt8) -> Bool {
            if isEscaped {
                isEscaped = false
                return true
            }
            switch byte {
            case UInt8(ascii: "\""): return false
            case UInt8(ascii: "\\"):
                isEscaped = true
                mayConvert = true
            case UInt8(ascii: "_"): if isBegun { mayConvert = true }
            default: isBegun = true
            }
            return true
        }
    }
}
