import FleetWire
import Synchronization

/// Who reads what this process prints: people at a terminal, or a program that parses it.
///
/// People must not be steered by texts that came from hosts and other operators, so what steers a
/// terminal is made visible as soon as an answer arrives. Programs get every byte.
enum Audience {
    private static let program = Atomic(false)

    /// True if the output is a document for a program.
    static var isProgram: Bool {
        get { program.load(ordering: .relaxed) }
        set { program.store(newValue, ordering: .relaxed) }
    }

    /// An answer's JSON as this audience may see it.
    static func admit(_ json: [UInt8]) -> [UInt8] { isProgram ? json : visible(json) }

    /// The JSON with what steers terminals made visible inside of its strings, whether it stands
    /// there as it is or as an escape. The structure stays.
    static func visible(_ json: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(json.count)
        var index = 0
        while index < json.count {
            let byte = json[index]
            if byte == UInt8(ascii: "\\"), index + 1 < json.count {
                let (scalar, length) = escape(json[index...])
                if let scalar, let shown = PlainText.shown(for: scalar) {
                    result += Array(String(shown).utf8)
                } else {
                    result += json[index..<(index + length)]
                }
                index += length
            } else if let (shown, length) = raw(json[index...]) {
                result += Array(String(shown).utf8)
                index += length
            } else {
                result.append(byte)
                index += 1
            }
        }
        return result
    }

    /// The scalar that an escape stands for, if it is one that could steer, and the escape's length.
    private static func escape(_ text: ArraySlice<UInt8>) -> (UInt32?, Int) {
        switch text[text.startIndex + 1] {
        case UInt8(ascii: "b"): return (0x08, 2)
        case UInt8(ascii: "f"): return (0x0C, 2)
        case UInt8(ascii: "r"): return (0x0D, 2)
        case UInt8(ascii: "u"):
            let digits = String(decoding: text.dropFirst(2).prefix(4), as: UTF8.self)
            return digits.utf8.count == 4 ? (UInt32(digits, radix: 16), 6) : (nil, text.count)
        default: return (nil, 2)
        }
    }

    /// What stands for the UTF-8 sequence at the beginning, if it steers, and the sequence's length.
    private static func raw(_ text: ArraySlice<UInt8>) -> (Unicode.Scalar, Int)? {
        guard let first = text.first else { return nil }
        // White space between values is no part of a string.
        if first == 0x0D { return nil }
        let length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
        guard length < 4, text.count >= length else { return nil }
        let scalars = String(decoding: text.prefix(length), as: UTF8.self).unicodeScalars
        guard scalars.count == 1, let scalar = scalars.first,
            let shown = PlainText.shown(for: scalar.value)
        else { return nil }
        return (shown, length)
    }
}
