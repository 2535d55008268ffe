import FleetWire
import Glibc

/// Names under which restores of one store write beside: `.belay~`, 8 digits that begin the SHA-256
/// of the store's path, and 16 that begin that of the path which is written. They are the same in
/// each run, so that it finds what an interrupted one left; any other name is an ordinary one.
struct BesideNames {
    private static let pathDigits = 16
    /// Ends with the store's digits.
    private let prefix: [UInt8]

    /// `store` is the path of the store's directory.
    init(store: String) {
        prefix = Array(".belay~\(StoreFiles.digits(of: store))".utf8)
    }

    /// The name beside for what will be at `path`.
    func name(_ path: [UInt8]) -> [UInt8] {
        let digest = ObjectID(hashing: path)
        return prefix
            + digest.withBytes { bytes in
                bytes.prefix(Self.pathDigits / 2).flatMap { byte in
                    [byte >> 4, byte & 0xF].map { $0 < 10 ? 0x30 + $0 : 0x57 + $0 }
                }
            }
    }

    /// The whole path beside for what will be at `path`.
    func path(_ path: [UInt8]) -> [UInt8] {
        let slash = path.lastIndex(of: UInt8(ascii: "/")) ?? 0
        return path[...slash] + name(path)
    }

    /// True if `name`, of `count` bytes, is one of these.
    func holds(_ name: UnsafePointer<CChar>, _ count: Int) -> Bool {
        // Each name of a walk comes here.
        guard count == prefix.count + Self.pathDigits, name[0] == 0x2E,
            prefix.withUnsafeBytes({ memcmp($0.baseAddress!, name, $0.count) == 0 })
        else { return false }
        return (prefix.count..<count).allSatisfy { index in
            (0x30...0x39).contains(name[index]) || (0x61...0x66).contains(name[index])
        }
    }
}
