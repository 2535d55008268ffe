/// One connection to Redis: commands and their replies (RESP2, redis.io).
struct RedisConnection {
    enum Reply: Equatable {
        case text(String)
        case number(Int)
        case none
        /// What the server refuses, and why.
        case error(String)
    }

    private static let replyBytesMax = 65536

    private let socket: TCPSocket
    private var rest: [UInt8] = []

    init(_ socket: TCPSocket) { self.socket = socket }

    /// Sends one command and waits for its reply. Throws if the connection fails, or what comes is
    /// not Redis.
    mutating func ask(_ words: String...) throws(TCPSocket.Failure) -> Reply {
        var bytes = Array("*\(words.count)\r\n".utf8)
        for word in words { bytes += "$\(word.utf8.count)\r\n\(word)\r\n".utf8 }
        try socket.send(bytes: bytes)
        let line = try self.line()
        let text = String(decoding: line.dropFirst(), as: UTF8.self)
        switch line.first {
        case UInt8(ascii: "+"): return .text(text)
        case UInt8(ascii: "-"): return .error(text)
        case UInt8(ascii: ":"): return .number(Int(text) ?? 0)
        case UInt8(ascii: "$"):
            guard let count = Int(text), count <= Self.replyBytesMax else { throw Self.strange }
            guard count >= 0 else { return .none }
            while rest.count < count + 2 { try more() }
            let value = String(decoding: rest.prefix(count), as: UTF8.self)
            rest.removeFirst(count + 2)
            return .text(value)
        default: throw Self.strange
        }
    }

    private mutating func line() throws(TCPSocket.Failure) -> [UInt8] {
        while true {
            if let end = rest.firstIndex(of: 10) {
                let line = rest[..<end]
                rest.removeFirst(line.count + 1)
                return line.last == 13 ? Array(line.dropLast()) : Array(line)
            }
            guard rest.count < Self.replyBytesMax else { throw Self.strange }
            try more()
        }
    }

    private mutating func more() throws(TCPSocket.Failure) {
        let bytes = try socket.receive()
        guard !bytes.isEmpty else {
            throw TCPSocket.Failure(reason: "the connection was closed", isLate: false)
        }
        rest += bytes
    }

    private static let strange = TCPSocket.Failure(
        reason: "what answers there is not Redis", isLate: false)
}
