import Glibc
import HostProcesses

/// One TCP connection of one check; every wait ends at the deadline.
final class TCPSocket {
    struct Failure: Error {
        let reason: String
        /// True if nothing can be said because time ran out or the name could not be looked up.
        let isLate: Bool
    }

    private let deadline: ContinuousClock.Instant
    private let cancellation: OwnThread.Cancellation
    private var socket: Int32 = -1

    init(deadline: ContinuousClock.Instant, cancellation: OwnThread.Cancellation) {
        self.deadline = deadline
        self.cancellation = cancellation
    }

    func close() {
        if socket >= 0 { Glibc.close(socket) }
        socket = -1
    }

    /// Tries the addresses of `host` in order.
    func connect(host: String, port: String) throws(Failure) {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, port, &hints, &list)
        guard code == 0, let first = list else {
            throw Failure(
                reason: "\(host): \(String(cString: gai_strerror(code)))", isLate: true)
        }
        defer { freeaddrinfo(first) }
        var last = Failure(reason: "no address", isLate: true)
        var next: UnsafeMutablePointer<addrinfo>? = first
        while let address = next {
            do throws(Failure) {
                try connect(address.pointee)
                return
            } catch {
                if error.isLate { throw error }
                last = error
                close()
            }
            next = address.pointee.ai_next
        }
        throw last
    }

    private func connect(_ address: addrinfo) throws(Failure) {
        let flags = Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        socket = Glibc.socket(address.ai_family, address.ai_socktype | flags, 0)
        guard socket >= 0 else { throw Failure(reason: errorText(errno), isLate: true) }
        if Glibc.connect(socket, address.ai_addr, address.ai_addrlen) == 0 { return }
        guard errno == EINPROGRESS else { throw Failure(reason: errorText(errno), isLate: false) }
        try wait(for: POLLOUT)
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(socket, SOL_SOCKET, SO_ERROR, &code, &size)
        guard code == 0 else { throw Failure(reason: errorText(code), isLate: false) }
    }

    func send(bytes: [UInt8]) throws(Failure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            try wait(for: POLLOUT)
            let sent = rest.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if sent < 0 && (errno == EINTR || errno == EAGAIN) { continue }
            guard sent >= 0 else { throw Failure(reason: errorText(errno), isLate: false) }
            rest = rest.dropFirst(sent)
        }
    }

    /// Some bytes; empty at the end.
    func receive() throws(Failure) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 16384)
        while true {
            try wait(for: POLLIN)
            let count = recv(socket, &buffer, buffer.count, 0)
            if count < 0 && (errno == EINTR || errno == EAGAIN) { continue }
            guard count >= 0 else { throw Failure(reason: errorText(errno), isLate: false) }
            return Array(buffer.prefix(count))
        }
    }

    /// For libraries that read and write themselves.
    var descriptor: Int32 { socket }

    func waitToRead() throws(Failure) { try wait(for: POLLIN) }

    func waitToWrite() throws(Failure) { try wait(for: POLLOUT) }

    private func wait(for events: Int32) throws(Failure) {
        var wanted = pollfd(fd: socket, events: Int16(events), revents: 0)
        while ContinuousClock.now < deadline && !cancellation.isCancelled {
            if poll(&wanted, 1, 50) > 0 { return }
        }
        throw Failure(reason: "no answer within the check's timeout", isLate: true)
    }
}
