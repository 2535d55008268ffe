import FleetWire
import Glibc
import HostProcesses
import HostValidators
import Testing

/// Listens on a port of its own and answers each connection with fixed bytes, after it read the
/// request; with `holds` it then keeps the connection open and silent.
private final class Answers: Sendable {
    let port: UInt16
    private let socket: Int32

    init() throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = socket
        let port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw -> Bool in
                bind(listener, raw, size) == 0 && listen(listener, 16) == 0
                    && getsockname(listener, raw, &size) == 0
            }
        }
        try #require(port)
        self.port = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(socket) }

    /// Serves one connection; gives the request.
    func serve(_ answer: String, holds: OwnThread.Cancellation? = nil) -> String {
        let peer = accept(socket, nil, nil)
        guard peer >= 0 else { return "" }
        defer { close(peer) }
        var request = ""
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !request.contains("\r\n\r\n") {
            let count = recv(peer, &buffer, buffer.count, 0)
            if count <= 0 { return request }
            request += String(decoding: buffer.prefix(count), as: UTF8.self)
        }
        // Byte by byte at first, so that every boundary is met.
        let bytes = Array(answer.utf8)
        for byte in bytes.prefix(200) {
            _ = [byte].withUnsafeBytes { send(peer, $0.baseAddress, 1, Int32(MSG_NOSIGNAL)) }
        }
        let rest = Array(bytes.dropFirst(200))
        _ = rest.withUnsafeBytes { send(peer, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        // Ends when the other side closes.
        if holds != nil { _ = recv(peer, &buffer, buffer.count, 0) }
        return request
    }
}

@Suite struct HTTPCheckTests {
    private func check(
        _ answer: String, status: [Int] = [], contains: String? = nil, path: String = "/x",
        hold: Bool = false, timeout: Milliseconds = .seconds(20)
    ) async throws -> (CheckResult, String) {
        let root = try CheckRoot()
        let answers = try Answers()
        async let request = OwnThread.run { answers.serve(answer, holds: hold ? $0 : nil) }
        let result = try await root.check(
            .http(
                HTTPCheck(
                    url: "http://127.0.0.1:\(answers.port)\(path)", status: status,
                    contains: contains)), timeout: timeout)
        return (result, await request)
    }

    private static let plain = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfine!"

    struct Case: Sendable {
        var answer: String
        var status: [Int] = []
        var contains: String?
        var expected: CheckStatus
    }

    private static let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    private static let long = String(repeating: "x", count: 70_000) + "END"

    static let cases: [Case] = [
        Case(answer: plain, contains: "fine", expected: .pass),
        Case(answer: plain, contains: "bad", expected: .fail),
        Case(answer: plain, status: [204], expected: .fail),
        Case(answer: "HTTP/1.1 503 No\r\n\r\n", expected: .fail),
        Case(answer: "HTTP/1.1 503 No\r\n\r\n", status: [503], expected: .pass),
        Case(answer: "HTTP/1.0 200 OK\r\n\r\nfine", contains: "fine", expected: .pass),
        Case(answer: "HTTP/1.1 302 Found\r\nLocation: /y\r\n\r\n", expected: .fail),
        Case(
            answer: chunked + "2\r\nfi\r\n3;x=y\r\nne!\r\n0\r\n\r\n", contains: "fine!",
            expected: .pass),
        Case(answer: chunked + "9\r\nfi", expected: .fail),
        Case(answer: chunked + "7fffffffffffffff\r\nfi", expected: .fail),
        Case(
            answer: "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nfine", contains: "fine",
            expected: .fail),
        Case(answer: "HTTP/1.1 200 OK\r\n\r\n" + long, contains: "END", expected: .fail),
        Case(answer: "SSH-2.0-x\r\n", expected: .fail),
        Case(answer: "", expected: .fail),
        Case(answer: String(repeating: "x", count: 100_000), expected: .fail),
    ]

    @Test(arguments: cases)
    func anAnswerIsJudged(_ test: Case) async throws {
        let (result, request) = try await check(
            test.answer, status: test.status, contains: test.contains)
        #expect(result.status == test.expected, "\(result.measured)")
        #expect(request.hasPrefix("GET /x HTTP/1.1\r\nHost: 127.0.0.1:"))
    }

    @Test func theEndIsKnownWithoutTheConnectionsEnd() async throws {
        let (result, _) = try await check(Self.plain, contains: "fine", hold: true)
        #expect(result.status == .pass)
    }

    @Test func aSilentServerIsUnknownWithinTheTimeout() async throws {
        let (result, _) = try await check(
            "HTTP/1.1 200 OK\r\n", hold: true, timeout: Milliseconds(200))
        #expect(result.status == .unknown)
        #expect(result.took < .seconds(10))
    }

    @Test func nobodyListeningFails() async throws {
        let root = try CheckRoot()
        let port = try Answers().port
        let result = try await root.check(
            .http(HTTPCheck(url: "http://127.0.0.1:\(port)/", status: [], contains: nil)))
        #expect(result.status == .fail)
        #expect(result.measured.contains("refused"))
    }

    @Test(arguments: [
        "https://127.0.0.1/", "127.0.0.1", "http://", "http://:80/", "http://a:b/", "http://a b/",
        "http://u:p@127.0.0.1/", "ftp://x", "http://x:99999/", "http://127.0.0.1/\r\nX: y",
        "http://{{ vars.nope }}/", "http://no-such-host.invalid/",
    ])
    func otherURLsAreUnknown(_ url: String) async throws {
        let result = try await CheckRoot().check(
            .http(HTTPCheck(url: url, status: [], contains: nil)))
        #expect(result.status == .unknown, "\(result.measured)")
    }
}
