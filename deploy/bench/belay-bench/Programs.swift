import Glibc

/// Where programs are found.
enum Programs {
    /// PATH, with the folders of administration, which other users' PATH leaves out.
    static var searchPath: String {
        let own = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
        return own + ":/usr/sbin:/sbin"
    }

    /// The whole path of a program, or nil if it is not installed.
    static func find(_ name: String) -> String? {
        searchPath.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    /// The program `name` in the folder of this one.
    static func beside(_ name: String) -> String {
        var room = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &room, room.count)
        let own = String(
            decoding: room.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return own.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/" + name
    }
}
