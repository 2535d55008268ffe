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
        try check(bytes, limits: limits)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: Data(bytes))
    }

    /// Refuses bytes that are not UTF-8 or that nest too deep, before any recursive decoder.
    package static func check(_ bytes: [UInt8], limits: FrameLimits) throws(FrameError) {
        guard String(validating: bytes, as: UTF8.self) != nil else { throw .notUTF8 }
        var depth = 0
        var inString = false
        var escaped = false
        for byte in bytes {
            if inString {
                if escaped {
                    escaped = false
                } else if byte == UInt8(ascii: "\\") {
                    escaped = true
                } else if byte == UInt8(ascii: "\"") {
                    inString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): inString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                guard depth <= limits.nestingMax else { throw .tooDeep(limit: limits.nestingMax) }
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
        }
    }
}
