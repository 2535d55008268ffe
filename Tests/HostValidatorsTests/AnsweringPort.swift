import Glibc
import HostProcesses
import Synchronization
import Testing

/// An HTTP server on loopback that gives its answers in turn, the last one for ever; it ends with
/// the object.
final class AnsweringPort: Sendable {
    struct Answer: Sendable {
        var status = 200
        var body: String
        var delay: UInt32 = 0
    }

    private let socket: Int32
    private let log = Log()
    let url: String

    /// What was asked so far: request lines and bodies as they came.
    var asked: [String] { log.requests.withLock { $0 } }

    private final class Log: Sendable {
        let requests = Mutex<[String]>([])
    }

    init(_ answers: [Answer]) throws {
        let listener = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        socket = listener
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw -> Bool in
                bind(listener, raw, size) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, raw, &size) == 0
            }
        }
        try #require(isBound)
        url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
        Task.detached { [log] in
            await OwnThread.run { _ in
                var next = 0
                while true {
                    let peer = accept(listener, nil, nil)
                    guard peer >= 0 else { return }
                    let answer = answers[min(next, answers.count - 1)]
                    next += 1
                    let text = Self.serve(peer, answer)
                    log.requests.withLock { $0.append(text) }
                }
            }
        }
    }

    deinit {
        shutdown(socket, Int32(SHUT_RDWR))
        close(socket)
    }

    private static func serve(_ peer: Int32, _ answer: Answer) -> String {
        defer { close(peer) }
        var limit = timeval(tv_sec: 2, tv_usec: 0)
        setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = recv(peer, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            bytes += buffer.prefix(count)
            let text = String(decoding: bytes, as: UTF8.self)
            guard let end = text.firstRange(of: "\r\n\r\n") else { continue }
            let length =
                text[..<end.lowerBound].lowercased().split(separator: "\r\n")
                .first { $0.hasPrefix("content-length:") }
                .flatMap { Int($0.dropFirst(15).filter(\.isNumber)) } ?? 0
            if text[end.upperBound...].utf8.count >= length { break }
        }
        if answer.delay > 0 { usleep(answer.delay) }
        let head =
            "HTTP/1.1 \(answer.status) X\r\nContent-Length: \(answer.body.utf8.count)\r\n\r\n"
        let out = Array((head + answer.body).utf8)
        _ = out.withUnsafeBytes { send(peer, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
