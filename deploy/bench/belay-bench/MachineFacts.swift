import Glibc

/// What a number was measured with.
enum MachineFacts {
    /// Processor, memory, kernel, and the file system of `path`, on which one of the kind `disk` lies
    /// in a file if there is one.
    static func describe(_ path: String, disk: String?) -> String {
        let model = field("model name", in: TextFile.read("/proc/cpuinfo") ?? "") ?? "processor"
        let memory =
            field("MemTotal", in: TextFile.read("/proc/meminfo") ?? "")
            .flatMap { Int($0.filter(\.isNumber)) }.map { $0 / 1_000_000 } ?? 0
        var name = utsname()
        uname(&name)
        let release = withUnsafeBytes(of: &name.release) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        let kind = fileSystem(of: path, in: TextFile.read("/proc/self/mounts") ?? "")
        let processors = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        let place = disk.map { "a new \($0) in a file on \(kind)" } ?? kind
        return "\(processors) × \(model), \(memory) GB, Linux \(release), \(place), warm page cache"
    }

    /// By program, what it says of its version; only those that are installed.
    static func versions(agent: String, runner: ProgramRunner) throws -> [String: String] {
        var found: [String: String] = [:]
        let asked = [
            ("belay-agent", agent, "--version"), ("restic", Programs.find("restic"), "version"),
            ("borg", Programs.find("borg"), "--version"), ("cp", Programs.find("cp"), "--version"),
            ("rsync", Programs.find("rsync"), "--version"),
        ]
        for (name, program, argument) in asked {
            guard let program else { continue }
            let said = try runner.succeed([program, argument])
            found[name] = said.split(separator: "\n").first.map(String.init) ?? ""
        }
        return found
    }

    /// The commit of the folder where this runs; `-dirty` if files differ from it.
    static func commit(runner: ProgramRunner) -> String {
        guard let git = Programs.find("git"),
            let said = try? runner.succeed([git, "describe", "--always", "--dirty", "--abbrev=12"])
        else { return "unknown" }
        return said.split(separator: "\n").first.map(String.init) ?? "unknown"
    }

    /// The present time, ISO 8601 in UTC.
    static func now() -> String {
        var seconds = time(nil)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        var room = [CChar](repeating: 0, count: 32)
        let count = strftime(&room, room.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
        return String(decoding: room.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The value of the first line `name : value`.
    static func field(_ name: String, in text: String) -> String? {
        text.split(separator: "\n").first { $0.hasPrefix(name) }?
            .split(separator: ":", maxSplits: 1).dropFirst().first
            .map { String($0.drop { $0 == " " || $0 == "\t" }) }
    }

    /// The kind of the file system that is mounted at or nearest above `path`.
    static func fileSystem(of path: String, in mounts: String) -> String {
        let above = mounts.split(separator: "\n").compactMap { line -> (String, String)? in
            let fields = line.split(separator: " ").map(String.init)
            guard fields.count > 2 else { return nil }
            let isAbove = fields[1] == "/" || path == fields[1] || path.hasPrefix(fields[1] + "/")
            return isAbove ? (fields[1], fields[2]) : nil
        }
        // The last of equals is what is seen.
        return above.enumerated().max {
            ($0.element.0.utf8.count, $0.offset) < ($1.element.0.utf8.count, $1.offset)
        }?.element.1 ?? "an unknown file system"
    }
}
