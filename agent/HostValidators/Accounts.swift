import Glibc
import HostProcesses
import Synchronization

/// Users and groups of this host: of its own files if it is a folder that has them, else of the
/// machine. Names that are numbers stand for themselves.
struct Accounts {
    /// getpwnam(3) and its like answer in one place for the whole process.
    private static let database = Mutex<Void>(())

    private let users: [[Substring]]?
    private let groupLines: [[Substring]]?

    init(root: String) {
        func lines(_ path: String) -> [[Substring]]? {
            guard root != "", root != "/", let place = try? HostPath.below(root, path) else {
                return nil
            }
            return SmallFile.text(place)?.split(separator: "\n")
                .map { $0.split(separator: ":", omittingEmptySubsequences: false) }
        }
        users = lines("/etc/passwd")
        groupLines = lines("/etc/group")
    }

    /// The number of a user; nil if there is none.
    func user(_ name: String) -> UInt32? {
        if let number = UInt32(name) { return number }
        guard let users else {
            return Self.database.withLock { _ in getpwnam(name)?.pointee.pw_uid }
        }
        return Self.line(name, users).flatMap { $0.count > 2 ? UInt32($0[2]) : nil }
    }

    /// The number of a group; nil if there is none.
    func group(_ name: String) -> UInt32? {
        if let number = UInt32(name) { return number }
        guard let groupLines else {
            return Self.database.withLock { _ in getgrnam(name)?.pointee.gr_gid }
        }
        return Self.line(name, groupLines).flatMap { $0.count > 2 ? UInt32($0[2]) : nil }
    }

    /// The name of a user, or his number.
    func userName(_ id: UInt32) -> String {
        guard let users else {
            return Self.database.withLock { _ in
                getpwuid(id).map { String(cString: $0.pointee.pw_name) } ?? "\(id)"
            }
        }
        return Self.name(id, users)
    }

    /// The name of a group, or its number.
    func groupName(_ id: UInt32) -> String {
        guard let groupLines else {
            return Self.database.withLock { _ in
                getgrgid(id).map { String(cString: $0.pointee.gr_name) } ?? "\(id)"
            }
        }
        return Self.name(id, groupLines)
    }

    /// All groups of a user.
    func groups(of name: String, _ id: UInt32) -> Set<UInt32> {
        guard let users else { return Self.groupsOfMachine(id) }
        let line = users.first { $0.count > 3 && $0[2] == "\(id)" }
        var found = Set((line.flatMap { UInt32($0[3]) }).map { [$0] } ?? [])
        let known = line.map { String($0[0]) } ?? name
        for group in groupLines ?? [] where group.count > 3 {
            if group[3].split(separator: ",").contains(Substring(known)),
                let number = UInt32(group[2])
            {
                found.insert(number)
            }
        }
        return found
    }

    private static func groupsOfMachine(_ id: UInt32) -> Set<UInt32> {
        let entry = database.withLock { _ in
            getpwuid(id).map { (String(cString: $0.pointee.pw_name), $0.pointee.pw_gid) }
        }
        guard let (name, primary) = entry else { return [] }
        var count: Int32 = 64
        var list = [gid_t](repeating: 0, count: Int(count))
        if getgrouplist(name, primary, &list, &count) < 0 {
            list = [gid_t](repeating: 0, count: Int(count))
            guard getgrouplist(name, primary, &list, &count) >= 0 else { return [primary] }
        }
        return Set(list.prefix(Int(count)))
    }

    private static func line(_ name: String, _ lines: [[Substring]]) -> [Substring]? {
        lines.first { $0.first == Substring(name) }
    }

    private static func name(_ id: UInt32, _ lines: [[Substring]]) -> String {
        lines.first { $0.count > 2 && $0[2] == "\(id)" }.map { String($0[0]) } ?? "\(id)"
    }
}
