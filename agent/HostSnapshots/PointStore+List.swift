package import FleetWire

extension PointStore {
    /// What the operator set for this store. Throws `PointError` if `settings.json` is ill-formed.
    package func settings() throws -> StoreSettings { try keys.settings() }

    /// The points, oldest first. One that cannot be read is listed with why as its reason, with
    /// `DAMAGED: ` before it, or `SEALED: ` if only its key is missing.
    package func list() throws -> [PointSummary] {
        try ids().compactMap { id in
            do {
                let (manifest, digest) = try manifest(id)
                return manifest.summary(digest)
            } catch let error as PointError {
                // Somebody may have pruned it since the names were read.
                if error.attempt == "find" { return nil }
                return PointSummary(
                    id: id, at: Timestamp(milliseconds: 0),
                    reason: (error.attempt == "read" ? "DAMAGED: " : "SEALED: ") + "\(error)",
                    rollout: nil, components: [], digest: ObjectID.zeros.digest)
            }
        }
    }

    /// The point that `text` means: its id, its unique name, or the beginning of one id alone.
    /// Throws `PointError` if it means none or, as a beginning, several.
    package func find(_ text: String) throws -> PointID {
        let ids = try ids()
        if let id = ids.first(where: { $0.rawValue == text }) { return id }
        let named = ids.filter { id in
            guard let (manifest, _) = try? manifest(id) else { return false }
            return manifest.name == text
        }
        if let id = named.first { return id }
        let begun = ids.filter { !text.isEmpty && $0.rawValue.hasPrefix(text) }
        guard let id = begun.first else {
            throw PointError(
                "find", "rollback point \(printable(Array(text.utf8)))",
                "none in \(directory) has this id or name", "list the points and name one of them")
        }
        guard begun.count == 1 else {
            throw PointError(
                "find", "rollback point \(text)",
                "\(begun.count) ids begin so, \(id) and \(begun[begun.count - 1]) among them",
                "write more of the id")
        }
        return id
    }

    /// Calls `each` with the entries of a point (of `component` alone, if one is named), in the
    /// catalogue's order: its component and one line, `mode owner size path`. They are read as they
    /// are asked for; `each` ends the walk by false. Throws `PointError`.
    package func show(
        _ id: PointID, component: ComponentName? = nil,
        each: (ComponentName, String) throws -> Bool
    ) throws -> PointSummary {
        let (manifest, digest) = try manifest(id)
        let summary = manifest.summary(digest)
        let objects = try objects(of: manifest)
        for part in manifest.components where component == nil || component == part.spec.name {
            let entries = CatalogueReader(part, objects)
            while let entry = try entries.next() {
                guard try each(part.spec.name, entry.line) else { return summary }
            }
        }
        return summary
    }

    /// One point and all its entries, one line each: for those who want few.
    package func show(_ id: PointID) throws -> (summary: PointSummary, entries: [String]) {
        var lines: [String] = []
        let summary = try show(id) { _, line in
            lines.append(line)
            return true
        }
        return (summary, lines)
    }
}
