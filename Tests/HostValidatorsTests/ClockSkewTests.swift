import FleetWire
import Glibc
import HostProcesses
import Testing
import Validation

@testable import HostValidators

/// A server of NTP on loopback whose clock is off; it answers once, or never.
private final class TimeServer: Sendable {
    let port: Int
    private let socket: Int32

    /// `bytes` changes the answer before it is sent; nil keeps silent.
    init(ahead microseconds: Int64, _ change: (@Sendable (inout [UInt8]) -> Void)? = { _ in })
        throws
    {
        let server = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        socket = server
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw -> Bool in
                bind(server, raw, size) == 0 && getsockname(server, raw, &size) == 0
            }
        }
        try #require(isBound)
        port = Int(UInt16(bigEndian: address.sin_port))
        var limit = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        guard let change else { return }
        Task.detached { await OwnThread.run { _ in Self.answer(server, microseconds, change) } }
    }

    deinit { close(socket) }

    private static func answer(
        _ server: Int32, _ ahead: Int64, _ change: @Sendable (inout [UInt8]) -> Void
    ) {
        var question = [UInt8](repeating: 0, count: 512)
        var peer = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &peer) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                guard recvfrom(server, &question, question.count, 0, raw, &size) == 48 else {
                    return
                }
                var time = timespec()
                clock_gettime(CLOCK_REALTIME, &time)
                let now = Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000 + ahead
                var answer = [UInt8](repeating: 0, count: 48)
                answer[0] = 0x24
                answer[1] = 2
                answer.replaceSubrange(24..<32, with: question[40..<48])
                TimeExchange.put(now, into: &answer, at: 32)
                TimeExchange.put(now, into: &answer, at: 40)
                change(&answer)
                _ = sendto(server, answer, answer.count, 0, raw, size)
            }
        }
    }
}

@Suite struct ClockSkewTests {
    private func asked(
        _ server: TimeServer, _ more: [String: ParameterValue] = [:]
    ) -> [String: ParameterValue] {
        ["server": .text("127.0.0.1"), "port": .whole(server.port)].merging(more) { $1 }
    }

    @Test func theClockIsHeldAgainstAServers() async throws {
        let root = try CheckRoot()
        for (ahead, status, says) in [
            (Int64(0), CheckStatus.pass, "127.0.0.1, within"),
            (60_000_000, .warn, "skew_warn, 30s"),
            (-60_000_000, .warn, "ahead of 127.0.0.1"), (300_000_000, .fail, "skew_max, 2m"),
            (-3_600_000_000, .fail, "3600"),
        ] {
            // Wide, since a busy machine takes its time to answer.
            let wide: [String: ParameterValue] = [
                "skew_warn": .whole(30_000), "skew_max": .whole(120_000),
            ]
            let server = try TimeServer(ahead: ahead)
            try await root.expect(
                "clock_skew", Row("\(ahead)", asked(server, wide), status, says: says))
        }
    }

    @Test func aServerThatDoesNotKnowTheTimeIsUnknown() async throws {
        let root = try CheckRoot()
        for change: @Sendable (inout [UInt8]) -> Void in [
            { $0[0] = 0xE4 }, { $0[1] = 0 }, { $0[1] = 16 }, { $0[0] = 0x23 },
            { answer in for index in 32..<40 { answer[index] = 0xFF } },
        ] {
            let server = try TimeServer(ahead: 0, change)
            try await root.expect("clock_skew", Row("unsure", asked(server), .unknown))
        }
        for server in [
            try TimeServer(ahead: 0) { $0[24] ^= 1 }, try TimeServer(ahead: 0, nil),
            try TimeServer(ahead: 0) { $0.removeLast(8) },
        ] {
            let late = try await root.validate(
                "clock_skew", asked(server), timeout: Milliseconds(300))
            #expect(late.status == .unknown && late.measured.contains("no answer"), "\(late)")
        }
    }

    @Test(
        arguments: [
            (Int64(99_000), CheckStatus.pass), (101_000, .warn), (1_001_000, .fail),
            (nil, .unknown),
        ] as [(Int64?, CheckStatus)])
    func theKernelsBoundIsHeldAgainstThresholds(bound: Int64?, status: CheckStatus) {
        let spec = ValidatorSpec.clockSkew
        let finding = ClockSkewValidator.judge(
            kernel: bound, CheckParameters(values: spec.call([:]).parameters))
        #expect(finding.status == status)
    }
}
