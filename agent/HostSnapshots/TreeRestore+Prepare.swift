import FleetWire
import Glibc

extension TreeRestore {
    /// Writes beside all that `plans` need, verifies it and syncs it.
    ///
    /// `earlier` are the plans of a `prepare` before: what they wrote and `plans` need too stays,
    /// the rest of it is removed.
    func prepare(
        _ plans: [RestorePlan], after earlier: [RestorePlan] = [], _ report: RestoreReport
    ) throws {
        var reused: [[Bool]] = []
        for plan in plans {
            for path in earlier.isEmpty ? plan.leftovers : [] { try removeLeftover(path, plan) }
            let before = earlier.first { $0.component == plan.component }
            reused.append(try before.map { try reuse(plan, of: $0) } ?? [])
        }
        let isAlone = beforeChange != nil || root.directory.calls.isInterposed
        let own = FileWriter(objects, beforeChange)
        let other = isAlone ? nil : FileWriter(ObjectReader(sharing: objects), beforeChange)
        let tally = ByteTally()
        let early = isAlone ? nil : try earlySync(plans)
        early?.start()
        defer { early?.stop() }
        own.onWrite = {
            tally.add($0)
            early?.wrote($0)
            try report.advance(tally)
        }
        other?.onWrite = { [watch = report.watch] in
            tally.add($0)
            early?.wrote($0)
            try RestoreReport.check(watch)
        }
        var pass = Pass(threads: WritingThreads(own: own, other: other))
        for (plan, reused) in zip(plans, reused) {
            report.begin(.restoring, plan.component, entries: plan.count, bytes: plan.needed)
            // Ended before the next one begins, so that each counts its own bytes.
            pass.threads = WritingThreads(own: own, other: other)
            do {
                try write(plan, reused, &pass, report)
                try pass.threads.finish { try report.advance(tally) }
            } catch {
                pass.threads.stop()
                throw error
            }
            try report.advance(tally)
        }
        for plan in plans {
            for link in pass.links where link.component == plan.component {
                try make(link: link, plan)
            }
        }
        try finish(pass.directories)
        cursor.forget()
        early?.stop()
        try syncWritten(own.written + (other?.written ?? []))
    }

    /// For the file system of the largest of `plans`; nil if they write too little for it.
    private func earlySync(_ plans: [RestorePlan]) throws -> EarlySync? {
        guard let largest = plans.max(by: { $0.needed < $1.needed }),
            largest.needed >= SnapshotLimits.earlySyncBytes,
            let path = largest.rooms.first?.root,
            let (parent, _) = try root.parent(of: path)
        else { return nil }
        return EarlySync(of: parent)
    }

    /// What has to wait until all files are written.
    private struct Pass {
        struct Link {
            var component: ComponentName
            var path: [UInt8]
            var target: [UInt8]
            /// Where it is made.
            var beside: [UInt8]
        }
        var threads: WritingThreads
        var links: [Link] = []
        /// Directories of trees beside and where they stand, each before what it holds.
        var directories: [(entry: Entry, beside: [UInt8])] = []
    }

    /// Which of `plan`'s changes stand beside already. What `earlier` wrote and nobody needs any more
    /// is removed.
    private func reuse(_ plan: RestorePlan, of earlier: RestorePlan) throws -> [Bool] {
        var old = earlier.changes.cursor
        var head = try old.next()
        var reused: [Bool] = []
        var isTreeKept = false
        func drop() throws {
            if let (entry, action) = head, action != .inside, action != .repair {
                trees.remove(entry.path)
                try discard(entry)
            }
            head = try old.next()
        }
        try plan.changes.forEach { entry, action in
            while let (found, _) = head, PathOrder.precedes(found.path, entry.path) {
                try drop()
            }
            var isKept = false
            if let (found, was) = head, found == entry, was == action {
                // What a tree holds goes with it.
                isKept = action != .inside || isTreeKept
                head = try old.next()
            }
            if action == .tree || action == .exchange { isTreeKept = isKept }
            reused.append(isKept)
        }
        while head != nil { try drop() }
        return reused
    }

    private func write(
        _ plan: RestorePlan, _ reused: [Bool], _ pass: inout Pass,
        _ report: RestoreReport
    ) throws {
        var number = 0
        var tree: (path: [UInt8], beside: [UInt8]) = ([], [])
        try plan.changes.forEach { entry, action in
            let isReused = number < reused.count && reused[number]
            number += 1
            let beside: [UInt8]
            switch action {
            case .repair: return
            case .write: beside = root.beside.path(entry.path)
            case .tree, .exchange:
                beside = root.beside.path(entry.path)
                tree = (entry.path, beside)
                trees.insert(entry.path)
            case .inside: beside = tree.beside + entry.path[tree.path.count...]
            }
            if isReused { return }
            let (parent, name) = try place(beside)
            if action != .inside { try touch(parent, of: entry.path, plan) }
            switch entry.kind {
            case .directory:
                try makeDirectory(entry, parent, name)
                pass.directories.append((entry, beside))
            case .hardLink:
                pass.links.append(
                    Pass.Link(
                        component: plan.component, path: entry.path, target: entry.target,
                        beside: beside))
            default: try pass.threads.write(entry, parent, name)
            }
            // Its bytes are counted as they are written.
            report.add(0)
            try report.check()
        }
    }

    private func makeDirectory(_ entry: Entry, _ parent: Descriptor, _ name: [UInt8]) throws {
        try beforeChange?("make directory \(printable(entry.path))")
        try FileWriter.clearing(parent, name, entry.path, beforeChange) {
            withPath(name) { parent.calls.mkdirat(parent.raw, $0, 0o700) }
        }
    }

    private func make(link: Pass.Link, _ plan: RestorePlan) throws {
        let (first, source) = try standing(link.target)
        let (parent, name) = try place(link.beside)
        try beforeChange?("link \(printable(link.path))")
        try FileWriter.clearing(parent, name, link.path, beforeChange) {
            withPath(source) { from in
                withPath(name) { parent.calls.linkat(first.raw, from, parent.raw, $0) }
            }
        }
    }

    /// Where the file that will be at `path` stands now: in a tree beside, beside, or in its place.
    private func standing(_ path: [UInt8]) throws -> (Descriptor, [UInt8]) {
        var end = path.count
        while !trees.isEmpty, let slash = path[..<end].lastIndex(of: UInt8(ascii: "/")), slash > 0 {
            end = slash
            if trees.contains(Array(path[..<end])) {
                return try place(root.beside.path(Array(path[..<end])) + path[end...])
            }
        }
        let (parent, name) = try place(path)
        let beside = root.beside.name(path)
        if try parent.status(of: beside) != nil { return (parent, beside) }
        linked[path, default: 0] += 1
        return (parent, name)
    }

    /// Gives the directories of trees beside their metadata, deepest first.
    private func finish(_ directories: [(entry: Entry, beside: [UInt8])]) throws {
        for (entry, beside) in directories.reversed() {
            let (parent, name) = try place(beside)
            guard let directory = parent.open(name, O_RDONLY | O_DIRECTORY) else {
                throw PointError.system("open", entry.path, errno)
            }
            try metadata.apply(entry, to: directory)
        }
    }
}
