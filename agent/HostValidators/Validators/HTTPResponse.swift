/// Reads one HTTP/1.1 answer from bytes as they come: status, and the first bytes of the body.
struct HTTPResponse {
    private enum Length {
        case toEnd
        case bytes(Int)
        case chunked
    }

    private static let headBytesMax = 32768

    private let bodyBytesMax: Int
    /// True if it answers HEAD: then it has no body, whatever its head says.
    private let isHead: Bool
    private var head: [UInt8] = []
    private var raw: [UInt8] = []
    private var length = Length.toEnd
    private(set) var status: Int?
    /// True once nothing more has to be read.
    private(set) var isComplete = false

    init(bodyBytesMax: Int, isHead: Bool = false) {
        self.bodyBytesMax = bodyBytesMax
        self.isHead = isHead
    }

    /// The body so far, without chunk framing, at most `bodyBytesMax` bytes.
    var body: [UInt8] {
        guard case .chunked = length else { return Array(raw.prefix(bodyBytesMax)) }
        return Array(Self.unchunked(raw).body.prefix(bodyBytesMax))
    }

    /// True if the body came whole, or as much of it as is looked at.
    var isWhole: Bool {
        if case .toEnd = length { return status != nil }
        return isComplete && status != nil
    }

    /// Takes more bytes of the answer.
    mutating func take(_ bytes: [UInt8]) {
        guard !isComplete else { return }
        guard status == nil else { return takeBody(bytes) }
        head += bytes
        guard let end = Self.headEnd(head) else {
            isComplete = head.count > Self.headBytesMax
            return
        }
        let rest = Array(head[(end + 4)...])
        readHead(String(decoding: head[..<end], as: UTF8.self))
        guard status != nil else {
            isComplete = true
            return
        }
        takeBody(rest)
    }

    private mutating func takeBody(_ bytes: [UInt8]) {
        raw += bytes
        switch length {
        case .toEnd: isComplete = raw.count >= bodyBytesMax
        case .bytes(let count): isComplete = raw.count >= min(count, bodyBytesMax)
        case .chunked:
            let (body, ended) = Self.unchunked(raw)
            isComplete = ended || body.count >= bodyBytesMax || raw.count >= 8 * bodyBytesMax
        }
    }

    private mutating func readHead(_ text: String) {
        let lines = text.split(separator: "\r\n")
        let words = (lines.first ?? "").split(separator: " ")
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let code = Int(words[1]),
            (200...999).contains(code)
        else { return }
        status = code
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            let value = parts[1].drop { $0 == " " }
            switch parts[0].lowercased() {
            case "content-length":
                if case .toEnd = length, let count = Int(value), count >= 0 {
                    length = .bytes(count)
                }
            case "transfer-encoding" where value.lowercased().hasSuffix("chunked"):
                length = .chunked
            default: break
            }
        }
        if code == 204 || code == 304 || isHead { length = .bytes(0) }
    }

    private static func headEnd(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        return (0...(bytes.count - 4)).first { bytes[$0...].starts(with: [13, 10, 13, 10]) }
    }

    private static func unchunked(_ bytes: [UInt8]) -> (body: [UInt8], ended: Bool) {
        var body: [UInt8] = []
        var rest = bytes[...]
        while let line = rest.firstIndex(of: 10) {
            let digits = String(decoding: rest[..<line], as: UTF8.self)
                .prefix { $0.isHexDigit }
            guard let size = Int(digits, radix: 16), size >= 0 else { return (body, false) }
            rest = rest[(line + 1)...]
            if size == 0 { return (body, true) }
            body += rest.prefix(size)
            guard rest.count - 2 >= size else { return (body, false) }
            rest = rest.dropFirst(size + 2)
        }
        return (body, false)
    }
}
