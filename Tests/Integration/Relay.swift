import Foundation
import Glibc
import Synchronization

/// A TCP relay on loopback that can be a bad network: slow, one-way, standing still, cut, or flipping
/// a bit of what it carries to the agents.
final class Relay: Sendable {
    /// What a bad network does to all connections that there are and to new ones.
    struct Weather: Sendable {
        /// Each piece waits for so long.
        var delayMilliseconds: UInt32 = 0
        /// Nothing moves from the agents, who are not told.
        var holdsUp = false
        /// Nothing moves to the agents.
        var holdsDown = false
    }

    private struct State {
        var isStopped = false
        var weather = Weather()
        /// Sockets of open connections.
        var open: Set<Int32> = []
        var damageAfter: Int?
        var damaged = 0
    }

    let address: String
    private let target: UInt16
    private let listener: Int32
    private let state = Mutex(State())

    init(to address: String) throws {
        guard let target = address.split(separator: ":").last.flatMap({ UInt16($0) }) else {
            throw Trouble("\(address) has no port")
        }
        self.target = target
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        var here = Self.loopback(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &here) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, $0, &size) == 0
            }
        }
        guard bound else { throw Trouble("relay: \(String(cString: strerror(errno)))") }
        self.address = "127.0.0.1:\(UInt16(bigEndian: here.sin_port))"
        let relay = self
        Thread { relay.accept() }.start()
    }

    /// Flips one bit in the next connection that carries more than this many bytes to an agent.
    func damageOnce(after bytes: Int) { state.withLock { $0.damageAfter = bytes } }

    /// Bits that were flipped.
    var damaged: Int { state.withLock { $0.damaged } }

    /// Changes what happens to bytes from now on. What was held is carried once it is not any more.
    func become(_ weather: Weather) { state.withLock { $0.weather = weather } }

    /// Cuts all open connections, both ways; gives how many sockets that were.
    @discardableResult
    func cut() -> Int {
        state.withLock { state in
            for socket in state.open { shutdown(socket, Int32(SHUT_RDWR)) }
            return state.open.count
        }
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        cut()
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return address
    }

    private func accept() {
        while !state.withLock({ $0.isStopped }) {
            let agent = Glibc.accept(listener, nil, nil)
            guard agent >= 0 else { return }
            let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var there = Self.loopback(target)
            let size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let connected = withUnsafePointer(to: &there) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(server, $0, size) == 0
                }
            }
            guard connected else {
                close(agent)
                close(server)
                continue
            }
            let open = OpenPair()
            state.withLock { $0.open.formUnion([agent, server]) }
            Thread { [self] in carry(from: agent, to: server, open, damages: false) }.start()
            Thread { [self] in carry(from: server, to: agent, open, damages: true) }.start()
        }
    }

    /// Closes both sockets once both ways have ended.
    private final class OpenPair: Sendable {
        private let ways = Mutex(2)
        /// True for the second way, which closes the sockets.
        func end(_ left: Int32, _ right: Int32) -> Bool {
            shutdown(left, Int32(SHUT_RDWR))
            shutdown(right, Int32(SHUT_RDWR))
            let last = ways.withLock {
                $0 -= 1
                return $0 == 0
            }
            return last
        }
    }

    private func carry(from: Int32, to: Int32, _ pair: OpenPair, damages: Bool) {
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        var carried = 0
        while true {
            let count = recv(from, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            carried += count
            wait(down: damages)
            if damages { damage(&buffer, count, carried) }
            var sent = 0
            while sent < count {
                let more = buffer.withUnsafeBytes {
                    send(to, $0.baseAddress.map { $0 + sent }, count - sent, Int32(MSG_NOSIGNAL))
                }
                guard more > 0 else { break }
                sent += more
            }
            guard sent == count else { break }
        }
        guard pair.end(from, to) else { return }
        // Closed under the lock, so that nobody cuts a socket that took over the number.
        state.withLock { state in
            state.open.subtract([from, to])
            close(from)
            close(to)
        }
    }

    /// Holds a piece for as long as the weather does.
    private func wait(down: Bool) {
        usleep(state.withLock { $0.weather.delayMilliseconds } * 1000)
        while state.withLock({ !$0.isStopped && (down ? $0.weather.holdsDown : $0.weather.holdsUp) }
        ) {
            usleep(10_000)
        }
    }

    private func damage(_ buffer: inout [UInt8], _ count: Int, _ carried: Int) {
        let now = state.withLock { state in
            guard let after = state.damageAfter, carried > after else { return false }
            state.damageAfter = nil
            state.damaged += 1
            return true
        }
        if now { buffer[count / 2] ^= 0x10 }
    }
}
