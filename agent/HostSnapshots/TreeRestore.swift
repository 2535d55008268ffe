import FleetWire
import Glibc

/// Carries out the plans of trees, in the format's "Order of writes".
///
/// `prepare` writes all that differs beside, verifies it and syncs it: nothing that a component
/// holds has changed then, and `discard` takes it back. `commit` removes, renames, repairs and syncs.
/// Each may be interrupted anywhere: what stands beside is found by the next plan.
final class TreeRestore {
    let root: HostRoot
    let objects: ObjectReader
    let beforeChange: RestoreHook?
    let cursor: DirectoryCursor
    let metadata: MetadataWriter
    let remover: TreeRemover
    /// Paths of directories that stand beside with all they hold.
    var trees: Set<[UInt8]> = []
    /// How many names that stand beside were linked to a file which is in its place.
    var linked: [[UInt8]: Int] = [:]
    private var written = WrittenFileSystems()
    /// Directories in which something is made or removed, as they were before.
    private var touched: [[UInt8]: Before] = [:]
    private var lastTouched: [UInt8]?
    private struct Before {
        var found: stat
        /// False for a directory above the component: its time is its own.
        var isHeld: Bool
    }
    /// What was verified beside, sorted.
    private(set) var verified: [WrittenFile] = []

    init(root: HostRoot, objects: ObjectReader, beforeChange: RestoreHook?) {
        self.root = root
        self.objects = objects
        self.beforeChange = beforeChange
        cursor = DirectoryCursor(root) { parent, name, path in
            // What directories above a component were like was not captured.
            try beforeChange?("make directory \(printable(path))")
            guard withPath(name, { parent.calls.mkdirat(parent.raw, $0, 0o755) }) == 0 else {
                throw PointError.system("make directory", path, errno)
            }
        }
        metadata = MetadataWriter(beforeChange)
        remover = TreeRemover(beforeChange)
    }

    /// Makes `plans` true. What `prepare` wrote must be all that they need.
    func commit(_ plans: [RestorePlan]) throws {
        cursor.forget()
        for plan in plans {
            for path in plan.removals { try remove(path, plan) }
        }
        cursor.forget()
        for plan in plans {
            try plan.changes.forEach { entry, action in
                switch action {
                case .write, .tree, .exchange: try putInPlace(entry, action, plan)
                case .repair: try repair(entry)
                case .inside: break
                }
            }
        }
        cursor.forget()
        try finishDirectories(plans)
        try written.sync(beforeChange)
    }

    /// Remembers the file systems of the components' own paths.
    func noteRoots(of plans: [RestorePlan]) throws {
        for path in plans.flatMap(\.rooms).map(\.root) {
            guard let (parent, name) = try root.parent(of: path) else { continue }
            try written.note(parent)
            if let tree = parent.open(name, O_RDONLY | O_DIRECTORY) { try written.note(tree) }
        }
    }

    /// All that was done on the file systems that are known is durable on return.
    func sync() throws { try written.sync(beforeChange) }

    /// Removes what is known to be in the way before anything is written: for a disk that is full.
    func makeRoom(_ plans: [RestorePlan]) throws {
        for plan in plans {
            for path in plan.leftovers { try removeLeftover(path, plan) }
            for path in plan.removals + plan.replaced { try remove(path, plan) }
        }
        cursor.forget()
    }

    /// Takes back what `prepare` wrote, as far as that can be done: for a failure before `commit`.
    func discard(_ plans: [RestorePlan]) {
        cursor.forget()
        for plan in plans {
            try? plan.changes.forEach { entry, action in
                switch action {
                case .write, .tree, .exchange: try? discard(entry)
                case .repair, .inside: break
                }
            }
        }
        cursor.forget()
        for (path, found) in touched.sorted(by: { PathOrder.precedes($1.key, $0.key) }) {
            try? giveBack(path, found)
        }
    }

    /// Removes what stands beside for one entry.
    func discard(_ entry: Entry) throws {
        guard let (parent, name) = try cursor.existingParent(of: root.beside.path(entry.path))
        else {
            return
        }
        try remover.remove(parent, name, entry.path)
    }

    // MARK: - Paths

    /// The directory that holds `path`, made if it is missing, and the last name.
    func place(_ path: [UInt8]) throws -> (Descriptor, [UInt8]) {
        guard let place = try cursor.parent(of: path) else {
            throw PointError.system("reach", path, ENOENT)
        }
        return place
    }

    // MARK: - Putting in place

    private func putInPlace(
        _ entry: Entry, _ action: PackedEntries.Action, _ plan: RestorePlan
    ) throws {
        let (parent, name) = try place(entry.path)
        let beside = root.beside.name(entry.path)
        if entry.kind == .database { try removeLog(parent, name, entry.path) }
        if action != .exchange {
            try beforeChange?("rename \(printable(entry.path))")
            if rename(parent, beside, name) { return }
            // Another kind of thing stands there.
            guard errno == EISDIR || errno == ENOTDIR else {
                throw PointError.system("rename", entry.path, errno)
            }
        }
        try beforeChange?("exchange \(printable(entry.path))")
        let code = withPath(beside) { from in
            withPath(name) { parent.calls.exchange(parent.raw, from, parent.raw, $0) }
        }
        if code != 0 {
            // The file system cannot exchange, or there is nothing to exchange with any more.
            guard [EINVAL, ENOSYS, ENOENT].contains(errno) else {
                throw PointError.system("exchange", entry.path, errno)
            }
            try remover.remove(parent, name, entry.path)
            try beforeChange?("rename \(printable(entry.path))")
            guard rename(parent, beside, name) else {
                throw PointError.system("rename", entry.path, errno)
            }
        } else {
            // A power cut must not bring back the name of what is being removed.
            try parent.sync(entry.path)
            try remover.remove(parent, beside, entry.path)
        }
    }

    private func rename(_ parent: Descriptor, _ old: [UInt8], _ new: [UInt8]) -> Bool {
        withPath(old) { from in
            withPath(new) { parent.calls.renameat(parent.raw, from, parent.raw, $0) == 0 }
        }
    }

    private func repair(_ entry: Entry) throws {
        let (parent, name) = try place(entry.path)
        try written.note(parent)
        // More names than its own and those that this restore has made lie outside the component.
        guard let found = try parent.status(of: name),
            found.st_nlink <= 1 + (linked[entry.path] ?? 0)
        else {
            throw PointError(
                "repair", printable(entry.path), "it got another name meanwhile", "restore again")
        }
        try metadata.apply(entry, parent, name)
    }

    // MARK: - Removing

    private func remove(_ path: [UInt8], _ plan: RestorePlan) throws {
        guard let (parent, name) = try cursor.existingParent(of: path) else { return }
        try touch(parent, of: path, plan)
        if plan.isDatabase { try removeLog(parent, name, path) }
        try remover.remove(parent, name, path)
    }

    func removeLeftover(_ path: [UInt8], _ plan: RestorePlan) throws {
        guard let (parent, name) = try cursor.existingParent(of: path) else { return }
        try touch(parent, of: path, plan)
        try remover.remove(parent, name, path)
    }

    /// Before the database itself changes: a stale log must never meet the restored file, and the
    /// old file must not lack what only its log holds.
    private func removeLog(_ parent: Descriptor, _ name: [UInt8], _ path: [UInt8]) throws {
        let suffixes = ["-wal", "-shm", "-journal"].map { Array($0.utf8) }
        guard try suffixes.contains(where: { try parent.status(of: name + $0) != nil }) else {
            return
        }
        try beforeChange?("write back the log of \(printable(path))")
        DatabaseCopy.settle(parent, name)
        for suffix in suffixes { try remover.remove(parent, name + suffix, path + suffix) }
        try parent.sync(path)
    }

    // MARK: - Directories

    /// Remembers what the directory of `path` was like, so that what is done in it leaves no trace.
    func touch(_ parent: Descriptor, of path: [UInt8], _ plan: RestorePlan) throws {
        let slash = path.lastIndex(of: UInt8(ascii: "/")) ?? 0
        if let lastTouched, path[..<slash].elementsEqual(lastTouched) { return }
        let folder = Array(path[..<slash])
        lastTouched = folder
        guard touched[folder] == nil else { return }
        let found = try parent.status()
        try written.note(parent)
        let isClosed = geteuid() != 0 && found.st_mode & 0o300 != 0o300
        let isHeld = plan.holds(folder)
        if isHeld || isClosed { touched[folder] = Before(found: found, isHeld: isHeld) }
        guard isClosed else { return }
        try beforeChange?("open up \(printable(folder))")
        guard parent.calls.fchmod(parent.raw, found.st_mode & 0o7777 | 0o300) == 0 else {
            throw PointError.system("open up", folder, errno)
        }
    }

    /// Gives all directories their metadata, deepest first.
    private func finishDirectories(_ plans: [RestorePlan]) throws {
        enum Target {
            case captured(Entry)
            case before(Before)
        }
        var targets = touched.mapValues(Target.before)
        for plan in plans {
            for entry in plan.directories { targets[entry.path] = .captured(entry) }
        }
        for (path, target) in targets.sorted(by: { PathOrder.precedes($1.key, $0.key) }) {
            switch target {
            case .before(let found): try giveBack(path, found)
            case .captured(let entry):
                let (parent, name) = try place(path)
                // A directory that is mounted there lies on a file system of its own.
                try written.note(parent.open(name, O_RDONLY | O_DIRECTORY) ?? parent)
                try metadata.apply(entry, parent, name)
            }
        }
    }

    private func giveBack(_ path: [UInt8], _ before: Before) throws {
        let found = before.found
        // It may be gone by now, or another one or a file in its place: that has its own.
        guard let (parent, name) = try cursor.existingParent(of: path),
            let now = try parent.status(of: name), now.st_ino == found.st_ino,
            now.st_dev == found.st_dev
        else { return }
        if now.st_mode != found.st_mode {
            try beforeChange?("set the mode of \(printable(path))")
            guard
                withPath(
                    name,
                    {
                        parent.calls.fchmodat(parent.raw, $0, found.st_mode & 0o7777)
                    }) == 0
            else { throw PointError.system("set the mode of", path, errno) }
        }
        guard before.isHeld else { return }
        try beforeChange?("set the time of \(printable(path))")
        let times = [timespec(tv_sec: 0, tv_nsec: MetadataWriter.omitted), found.st_mtim]
        guard withPath(name, { parent.calls.utimensat(parent.raw, $0, times) }) == 0 else {
            throw PointError.system("set the time of", path, errno)
        }
    }

    // MARK: - What `prepare` uses

    func syncWritten(_ files: [WrittenFile]) throws {
        try written.sync(beforeChange)
        verified = (verified + files).sorted()
    }
}
