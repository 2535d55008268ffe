import FleetWire
import Glibc
import Testing

/// A port on loopback that accepts connections by itself, as a full backlog would.
final class ListeningPort: Sendable {
    let port: Int
    private let socket: Int32

    init() throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = socket
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw -> Bool in
                bind(listener, raw, size) == 0 && listen(listener, 16) == 0
                    && getsockname(listener, raw, &size) == 0
            }
        }
        try #require(isBound)
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit { close(socket) }
}

@Suite struct TCPTests {
    private func parameters(
        _ port: Int, _ more: [String: ParameterValue] = [:]
    ) -> [String: ParameterValue] {
        ["host": .text("127.0.0.1"), "port": .whole(port)].merging(more) { $1 }
    }

    @Test func aPortThatListensPasses() async throws {
        let open = try ListeningPort()
        let result = try await CheckRoot().validate("tcp", parameters(open.port))
        #expect(result.status == .pass, "\(result)")
        #expect(result.measured.contains("127.0.0.1:\(open.port) accepted after "))
        #expect(result.parameters?.map(\.origin) == [.standard])
    }

    @Test func aPortThatRefusesFails() async throws {
        let port = try ListeningPort().port
        try await CheckRoot().expect(
            "tcp", Row("refused", parameters(port), .fail, says: "Connection refused"))
    }

    @Test func aNameThatCannotBeLookedUpIsUnknown() async throws {
        let parameters: [String: ParameterValue] = [
            "host": .text("no such name"), "port": .whole(1),
        ]
        try await CheckRoot().expect("tcp", Row("no name", parameters, .unknown))
    }

    /// 192.0.2.0/24 is for documentation (RFC 5737); without a route it is refused at once, so
    /// only a pass would be wrong.
    @Test func anAddressThatDoesNotAnswerNeverPasses() async throws {
        let result = try await CheckRoot().validate(
            "tcp", ["host": .text("192.0.2.1"), "port": .whole(9)],
            timeout: Milliseconds(200))
        #expect(result.status == .unknown || result.status == .fail)
    }

    /// Connecting on loopback takes less than a millisecond, so slowness is judged by itself.
    @Test(arguments: [
        (5, CheckStatus.pass, ""), (10, .pass, ""), (11, .warn, "longer than latency_warn, 10ms"),
        (21, .fail, "longer than latency_max, 20ms"),
    ])
    func slownessIsHeldAgainstItsThresholds(
        took: Int64, status: CheckStatus, says: String
    ) {
        let finding = LatencySample.judge(
            took: Milliseconds(took), warn: Milliseconds(10), most: Milliseconds(20))
        #expect(finding.status == status && finding.threshold == says)
    }
}
