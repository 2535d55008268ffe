import Glibc

/// Ports of loopback that nobody uses.
///
/// Below the range that the kernel takes the ports of outgoing connections from: while a service
/// is restarted, nobody gets its port by chance.
enum FreePorts {
    private static let range = 20_000..<32_000

    /// `count` different ports that were free a moment ago.
    static func find(_ count: Int) throws -> [Int] {
        var found: [Int] = []
        for _ in 0..<1000 where found.count < count {
            let port = Int.random(in: range)
            if !found.contains(port), isFree(port) { found.append(port) }
        }
        guard found.count == count else {
            throw DemoFailure("cannot find \(count) free ports on 127.0.0.1 in \(range)")
        }
        return found
    }

    private static func isFree(_ port: Int) -> Bool {
        let opened = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard opened >= 0 else { return false }
        defer { close(opened) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(opened, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
