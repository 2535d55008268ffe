import FleetWire
import Glibc

/// The driver `package`: name, version and selection of one Debian package, and its file if asked.
struct PackageDriver: ComponentDriving {
    let component: PackageComponent
    let host: DriverHost
    let phase = RestorePhase.beforeFiles
    let needsStop = true

    /// What the entry of a package says: `absent`, `removed` (its configuration stayed), or
    /// version, architecture and selection.
    private enum State: Equatable {
        case absent
        case removed
        case installed(version: String, architecture: String, selection: String)

        init?(_ target: [UInt8]) {
            switch String(decoding: target, as: UTF8.self) {
            case "absent": self = .absent
            case "removed": self = .removed
            case let text:
                let words = text.split(separator: " ").map(String.init)
                guard words.count == 3 else { return nil }
                self = .installed(
                    version: words[0], architecture: words[1], selection: words[2])
            }
        }

        var text: String {
            switch self {
            case .absent: "absent"
            case .removed: "removed"
            case .installed(let version, let architecture, let selection):
                "\(version) \(architecture) \(selection)"
            }
        }
    }

    func check() throws {
        let packages = try packages("capture")
        guard let status = try packages.status() else { return }
        switch status.progress {
        case "installed", "config-files", "triggers-awaited", "triggers-pending": break
        case let progress:
            throw packages.programs.failure(
                "dpkg has it \(progress)", nil, "run dpkg --configure -a first")
        }
        guard status.progress != "config-files", !component.keep else { return }
        guard try packages.cached(status) != nil || packages.isInRepository(status) else {
            throw packages.programs.failure(
                "its version \(status.version) could not be installed again: it is neither in "
                    + "apt's cache nor in a repository", nil,
                "give the component keep: true or a repository that has it, or put its .deb into "
                    + "apt's cache")
        }
    }

    func spaceNeeded() throws -> UInt64 {
        guard component.keep, let status = try packages("capture").status() else { return 0 }
        guard let path = try packages("capture").cached(status) else { return 0 }
        var found = stat()
        return stat(path, &found) == 0 ? UInt64(found.st_size) : 0
    }

    func entries(into sink: any ObjectSink, point: PointID?) throws -> [Entry] {
        let packages = try packages(point == nil ? "look at" : "capture")
        let status = try packages.status()
        var entry = entry(Self.state(status))
        if let status, component.keep, point != nil, status.progress != "config-files" {
            (entry.chunks, entry.size) = try keep(status, packages, entry.target, sink)
        }
        return [entry]
    }

    func entries(against captured: [Entry]) throws -> [Entry] {
        let packages = try packages("look at")
        let now = Self.state(try packages.status())
        // What was purged since cannot be made removed again, and holds no more than that.
        if now == .absent, captured.first?.target == Array("removed".utf8) { return captured }
        return [entry(now)]
    }

    func checkRestore(to captured: [Entry]) throws {
        let packages = try packages("restore")
        guard let wanted = captured.first.flatMap({ State($0.target) }) else {
            throw PointError.damaged("package \(component.name)", "its entry names no state")
        }
        guard case .installed(let version, let architecture, let selection) = wanted else { return }
        let status = DebianPackages.Status(
            selection: selection, progress: "installed", version: version,
            architecture: architecture)
        if try packages.status() == status { return }
        guard
            try captured.first?.chunks.isEmpty == false || packages.cached(status) != nil
                || packages.isInRepository(status)
        else {
            throw packages.programs.failure(
                "its version \(version) is neither in the point nor in apt's cache nor in a "
                    + "repository", nil, "put its .deb into apt's cache")
        }
    }

    func restore(
        to captured: [Entry], from objects: ObjectReader, beforeChange: (String) throws -> Void
    ) throws {
        let packages = try packages("restore")
        guard let entry = captured.first, let wanted = State(entry.target) else { return }
        var now = try packages.status()
        if let found = now, !["installed", "config-files"].contains(found.progress) {
            try beforeChange("finish what dpkg left of \(component.name)")
            packages.finish()
            now = try packages.status()
        }
        switch wanted {
        case .absent, .removed:
            guard now != nil, Self.state(now) != wanted else { return }
            try beforeChange("remove \(component.name)")
            try packages.remove(withConfiguration: wanted == .absent)
        case .installed(let version, let architecture, let selection):
            if now?.version != version || now?.architecture != architecture
                || now?.progress != "installed"
            {
                try beforeChange("install \(component.name) \(version)")
                try install(entry, version, architecture, packages, objects)
            }
            if try packages.status()?.selection != selection {
                try beforeChange("select \(component.name) \(selection)")
                try packages.select(selection)
            }
        }
    }

    private func install(
        _ entry: Entry, _ version: String, _ architecture: String, _ packages: DebianPackages,
        _ objects: ObjectReader
    ) throws {
        let status = DebianPackages.Status(
            selection: "install", progress: "installed", version: version,
            architecture: architecture)
        if !entry.chunks.isEmpty {
            let file = try ScratchFile("package", host.store, suffix: ".deb")
            try file.fill(with: entry, from: objects)
            try packages.install(file: file.path)
        } else if let cached = packages.cached(status) {
            try packages.install(file: cached)
        } else {
            try packages.installFromRepository(version)
        }
    }

    /// The package's file as objects. An earlier point that keeps the same version has them already:
    /// then nothing is downloaded.
    private func keep(
        _ status: DebianPackages.Status, _ packages: DebianPackages, _ target: [UInt8],
        _ sink: any ObjectSink
    ) throws -> ([ObjectID], UInt64) {
        if let kept = try kept(target), try kept.chunks.allSatisfy({ try sink.holds($0) }) {
            return (kept.chunks, kept.size)
        }
        let path = try packages.file(status)
        let file = try StoreFiles(path, host.store.calls).open("", O_RDONLY | O_NOFOLLOW)
        return try ScratchFile.store(file, path, into: sink)
    }

    /// The entry of the newest point that keeps this version. A point that cannot be read keeps none.
    private func kept(_ target: [UInt8]) throws -> Entry? {
        let points = host.points
        for id in try points.ids().reversed() {
            guard let (manifest, _) = try? points.manifest(id) else { continue }
            for component in manifest.components {
                guard case .package(let other) = component.spec.driver,
                    other.name == self.component.name,
                    let objects = try? points.objects(of: manifest),
                    let entry = try? points.driverEntries(component, objects).first,
                    entry.target == target, !entry.chunks.isEmpty
                else { continue }
                return entry
            }
        }
        return nil
    }

    private static func state(_ status: DebianPackages.Status?) -> State {
        guard let status else { return .absent }
        if status.progress == "config-files" { return .removed }
        return .installed(
            version: status.version, architecture: status.architecture,
            selection: status.progress == "installed" || status.progress.hasPrefix("triggers")
                ? status.selection : status.progress)
    }

    private func entry(_ state: State) -> Entry {
        var entry = Entry(kind: .package, path: Array(component.name.utf8))
        entry.target = Array(state.text.utf8)
        return entry
    }

    private func packages(_ attempt: String) throws -> DebianPackages {
        try DebianPackages(component, host, attempt: attempt)
    }
}
