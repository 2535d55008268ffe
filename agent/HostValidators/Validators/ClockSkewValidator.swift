import CLinux
import FleetWire
import Glibc
import HostProcesses
import Validation

/// The check `clock_skew`.
struct ClockSkewValidator: Validator {
    let spec = ValidatorSpec.clockSkew
    private static let remedy =
        "look at the daemon that sets the clock (chronyc tracking, timedatectl)"

    func look(_ parameters: CheckParameters, _ context: LookContext) async -> Finding {
        await context.blocking { cancellation in
            guard let server = parameters.text("server") else {
                return Self.judge(kernel: Self.kernel(), parameters)
            }
            let port = "\(parameters.whole("port") ?? 123)"
            let exchange = TimeExchange(host: server, port: port)
            do throws(TimeExchange.Failure) {
                let (offset, bound) = try exchange.run(context.deadline, cancellation)
                let way = offset < 0 ? "ahead of" : "behind"
                return Self.judge(
                    "\(Self.text(abs(offset))) \(way) \(server), within \(Self.text(bound))",
                    skew: abs(offset) + bound, parameters)
            } catch {
                return .unknown("\(server):\(port): \(error.reason)", Self.remedy)
            }
        }
    }

    /// Microseconds that the kernel's clock can be off; nil if nothing disciplines it.
    static func kernel() -> Int64? {
        let bound = belay_clock_error()
        return bound < 0 ? nil : bound
    }

    static func judge(kernel bound: Int64?, _ parameters: CheckParameters) -> Finding {
        guard let bound else {
            return .unknown("nothing keeps the clock right, as the kernel knows", remedy)
        }
        return judge("within \(text(bound)), by the kernel", skew: bound, parameters)
    }

    /// `skew` in microseconds.
    private static func judge(
        _ said: String, skew: Int64, _ parameters: CheckParameters
    ) -> Finding {
        var judgement = Judgement()
        for (name, status) in [("skew_max", CheckStatus.fail), ("skew_warn", .warn)] {
            if let most = parameters.span(name), skew > most.count * 1000 {
                judgement.note(status, "it may be off by more than \(name), \(most.text)")
            }
        }
        return judgement.finding(said, remedy: remedy)
    }

    private static func text(_ microseconds: Int64) -> String {
        let rest = "\(microseconds % 1000 + 1000)".dropFirst()
        return "\(microseconds / 1000).\(rest)ms"
    }
}

/// One question to a server of NTP and its answer (RFC 4330, section 5).
struct TimeExchange {
    struct Failure: Error {
        let reason: String
    }

    private static let bytes = 48
    /// From 1900 to 1970.
    private static let eraSeconds: Int64 = 2_208_988_800

    var host: String
    var port: String

    /// By how much the server is ahead of this host's clock, and how far that can be wrong, both in
    /// microseconds.
    func run(
        _ deadline: ContinuousClock.Instant, _ cancellation: OwnThread.Cancellation
    ) throws(Failure) -> (offset: Int64, bound: Int64) {
        let socket = try connected()
        defer { close(socket) }
        let sent = Self.now()
        var question = [UInt8](repeating: 0, count: Self.bytes)
        // Version 4, client; the time goes along and comes back, so that no other answer is taken.
        question[0] = 0x23
        Self.put(sent, into: &question, at: 40)
        guard send(socket, question, question.count, Int32(MSG_NOSIGNAL)) == question.count else {
            throw Failure(reason: errorText(errno))
        }
        var wanted = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        while ContinuousClock.now < deadline && !cancellation.isCancelled {
            guard poll(&wanted, 1, 50) > 0 else { continue }
            var answer = [UInt8](repeating: 0, count: 512)
            let count = recv(socket, &answer, answer.count, 0)
            let received = Self.now()
            if count < 0 && (errno == EINTR || errno == EAGAIN) { continue }
            guard count >= 0 else { throw Failure(reason: errorText(errno)) }
            guard count >= Self.bytes, answer[24..<32] == question[40..<48] else { continue }
            return try Self.judge(answer, sent: sent, received: received)
        }
        throw Failure(reason: "no answer within the check's timeout")
    }

    private static func judge(
        _ answer: [UInt8], sent: Int64, received: Int64
    ) throws(Failure) -> (offset: Int64, bound: Int64) {
        // Mode 4 is a server's; leap 3 and stratum 0 or 16 say that it does not know the time.
        guard answer[0] & 7 == 4 else { throw Failure(reason: "no server answers there") }
        guard answer[0] >> 6 != 3, (1...15).contains(answer[1]) else {
            throw Failure(reason: "the server is not synchronized itself")
        }
        let (came, left) = (time(in: answer, at: 32), time(in: answer, at: 40))
        guard left >= came, came > 0 else { throw Failure(reason: "its times make no sense") }
        let offset = (came - sent + (left - received)) / 2
        let way = max(0, received - sent - (left - came))
        return (offset, way / 2)
    }

    private func connected() throws(Failure) -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, port, &hints, &list)
        guard code == 0, let address = list else {
            throw Failure(reason: String(cString: gai_strerror(code)))
        }
        defer { freeaddrinfo(address) }
        let flags = Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let socket = Glibc.socket(
            address.pointee.ai_family, Int32(SOCK_DGRAM.rawValue) | flags, 0)
        guard socket >= 0 else { throw Failure(reason: errorText(errno)) }
        guard connect(socket, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 else {
            let code = errno
            close(socket)
            throw Failure(reason: errorText(code))
        }
        return socket
    }

    /// Microseconds since 1970.
    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }

    /// Seconds since 1900 and their parts of 2³², big-endian.
    static func put(_ microseconds: Int64, into bytes: inout [UInt8], at place: Int) {
        let seconds = UInt32(truncatingIfNeeded: microseconds / 1_000_000 + eraSeconds)
        let part = UInt32(truncatingIfNeeded: (microseconds % 1_000_000) << 32 / 1_000_000)
        for index in 0..<4 {
            bytes[place + index] = UInt8(truncatingIfNeeded: seconds >> (24 - 8 * index))
            bytes[place + 4 + index] = UInt8(truncatingIfNeeded: part >> (24 - 8 * index))
        }
    }

    private static func time(in bytes: [UInt8], at place: Int) -> Int64 {
        func word(_ place: Int) -> Int64 {
            bytes[place..<(place + 4)].reduce(0) { $0 << 8 | Int64($1) }
        }
        // After 2036 the seconds begin anew (RFC 4330, section 3).
        let seconds = word(place) + (word(place) < 1 << 31 ? 1 << 32 : 0) - eraSeconds
        return seconds * 1_000_000 + word(place + 4) * 1_000_000 >> 32
    }
}
