import FleetWire

/// The points that a store holds, as their manifests and catalogues say: what the store itself and
/// its drivers read of them.
struct StoredPoints {
    let files: StoreFiles
    let keys: StoreKeys

    /// The ids of all manifests, oldest first, whether they can be read or not.
    func ids() throws -> [PointID] {
        try files.names(in: "points").compactMap { text in
            text.hasSuffix(".json") ? PointID(String(text.dropLast(5))) : nil
        }
    }

    /// The manifest of a point and its digest. Throws `PointError` if it is missing, damaged, or
    /// sealed with a key that is not at hand.
    func manifest(_ id: PointID) throws -> (Manifest, Digest) {
        let name = "points/\(id).json"
        guard let bytes = try files.contents(of: name, atMost: SnapshotLimits.manifestBytesMax)
        else {
            throw PointError(
                "find", "rollback point \(id)", "it is not in \(files.path)",
                "list the points and name one of them")
        }
        let path = files.path(of: name)
        let (manifest, digest) = try Manifest.decode(bytes, path: path) {
            try keys.reading($0, "rollback point \(id)")
        }
        guard manifest.id == id else {
            throw PointError.damaged(path, "it is the manifest of \(manifest.id)")
        }
        return (manifest, digest)
    }

    /// The objects of a point, and of those that are sealed with the same key.
    func objects(of manifest: Manifest, isLocking: Bool = true) throws -> ObjectReader {
        try ObjectReader(
            files, codec: keys.reading(manifest.key, "rollback point \(manifest.id)"),
            isLocking: isLocking)
    }

    /// All entries of a component; `CatalogueReader` gives them one by one.
    func catalogue(
        _ component: Manifest.Component, _ objects: ObjectReader
    ) throws -> [Entry] {
        var entries: [Entry] = []
        try CatalogueReader(component, objects).forEach { entries.append($0) }
        return entries
    }

    /// Those that its driver keeps.
    func driverEntries(
        _ component: Manifest.Component, _ objects: ObjectReader
    ) throws -> [Entry] {
        try catalogue(component, objects).filter { !$0.kind.isOfTree }
    }
}
