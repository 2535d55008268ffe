import FleetWire
import Glibc
import HostProcesses

/// The processes of this host (proc(5)): those below the root's `/proc` if it has one.
struct ProcessTable {
    struct Process: Equatable {
        var pid: Int32
        /// The last part of its first argument, or the kernel's name for it.
        var name: String
        /// Its effective user.
        var user: UInt32
    }

    let folder: String

    init(_ context: LookContext) { folder = context.systemFile("/proc") }

    /// All that run; nil if the folder cannot be listed, shows none, or hides those of others.
    func all() -> [Process]? {
        guard let directory = opendir(folder) else { return nil }
        defer { closedir(directory) }
        var found: [Process] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if let pid = Int32(name), let process = process(pid) { found.append(process) }
        }
        // Process 1 always runs; where it is not seen (hidepid) others are not either.
        guard !found.isEmpty, folder != "/proc" || found.contains(where: { $0.pid == 1 }) else {
            return nil
        }
        return found.sorted { $0.pid < $1.pid }
    }

    /// The process with this number; nil if none runs, or it has ended and waits for its parent.
    func process(_ pid: Int32) -> Process? {
        guard let status = SmallFile.text("\(folder)/\(pid)/status") else { return nil }
        func words(_ key: String) -> [Substring] {
            status.split(separator: "\n").first { $0.hasPrefix(key + ":") }
                .map { $0.dropFirst(key.utf8.count + 1).split(whereSeparator: \.isWhitespace) }
                ?? []
        }
        let users = words("Uid")
        guard users.count == 4, let user = UInt32(users[1]),
            let state = words("State").first, state != "Z", state != "X"
        else { return nil }
        let kernelName = words("Name").joined(separator: " ")
        let first = (SmallFile.bytes("\(folder)/\(pid)/cmdline") ?? []).prefix { $0 != 0 }
        let program = String(decoding: first, as: UTF8.self).split(separator: "/").last
        return Process(pid: pid, name: program.map(String.init) ?? kernelName, user: user)
    }

    /// True if the kernel or the first argument calls it `name`; the kernel keeps 15 bytes of it.
    func isCalled(_ name: String, _ process: Process) -> Bool {
        if process.name == name { return true }
        let kernelName = SmallFile.text("\(folder)/\(process.pid)/comm")?.dropLast()
        return kernelName.map { $0 == name } ?? false
    }

    /// The processes that `program`, `pid_file` or `unit` name; or the finding of a check that cannot
    /// tell.
    func named(_ parameters: CheckParameters, _ context: LookContext) async -> ProcessSearch {
        if let unit = parameters.text("unit") {
            switch await UnitState.show(unit, context) {
            case .success(let state):
                guard state.load == "loaded" else {
                    return .untold(
                        .unknown("\(unit): systemd says \(state.load)", "correct the unit's name"))
                }
                return .found(state.mainProcess.flatMap(process).map { [$0] } ?? [])
            case .failure(let why): return .untold(why.finding)
            }
        }
        if let path = parameters.text("pid_file") {
            guard let text = SmallFile.text(path) else {
                let isMissing = access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR)
                return isMissing
                    ? .found([])
                    : .untold(.unknown("\(path) cannot be read", "check its permissions"))
            }
            guard let pid = Int32(text.prefix { $0.isNumber }), pid > 0 else {
                return .untold(
                    .unknown("\(path) holds no number of a process", "look who writes it"))
            }
            return .found(process(pid).map { [$0] } ?? [])
        }
        let program = parameters["program"]
        guard let all = all() else {
            return .untold(
                .unknown(
                    "\(folder) shows no processes, or hides those of others",
                    "look whether /proc is mounted, and run the agent as root"))
        }
        return .found(all.filter { isCalled(program, $0) })
    }

    /// The same for a check that speaks of processes that run: without any it cannot tell.
    func running(_ parameters: CheckParameters, _ context: LookContext) async -> ProcessSearch {
        let search = await named(parameters, context)
        guard case .found(let processes) = search, processes.isEmpty else { return search }
        return .untold(
            .unknown("\(parameters.processes) does not run", "start it, and check again"))
    }
}

/// What a search for processes gave.
enum ProcessSearch {
    case found([ProcessTable.Process])
    case untold(Finding)
}

extension CheckParameters {
    /// True if the check names no processes.
    var namesNoProcess: Bool {
        text("unit") == nil && text("pid_file") == nil && text("program") == nil
    }

    /// What the check calls the processes that it names.
    var processes: String {
        text("unit") ?? text("pid_file").map { "the process of \($0)" } ?? text("program")
            ?? "the agent"
    }
}
