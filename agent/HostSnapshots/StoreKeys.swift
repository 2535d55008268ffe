import Synchronization

/// The settings of a store and the key that they name, read when they are first needed: what needs
/// neither works without them, so that nobody is kept from rolling back by a file with a typing error.
final class StoreKeys: Sendable {
    private let files: StoreFiles
    private let known = Mutex<StoreKey?>(nil)

    init(_ files: StoreFiles) { self.files = files }

    /// As they are now. Throws `PointError` if the file is ill-formed or cannot be read.
    func settings() throws -> StoreSettings {
        let name = StoreSettings.fileName
        guard let bytes = try files.contents(of: name, atMost: SnapshotLimits.settingsBytesMax)
        else { return StoreSettings() }
        return try StoreSettings(decoding: bytes, path: files.path(of: name))
    }

    /// That of new points.
    func writing() throws -> ObjectCodec {
        guard let path = try settings().keyFile else { return .plain }
        guard !path.hasPrefix(files.path + "/") else {
            throw PointError(
                "use the key file", path, "it lies in the store that it protects",
                "keep it elsewhere, and a copy of it off this host")
        }
        return ObjectCodec(key: try key(path))
    }

    /// That of a point whose manifest names `key`. Throws `PointError` if it is another one.
    func reading(_ key: String?, _ subject: String) throws -> ObjectCodec {
        guard let key else { return .plain }
        let codec = try writing()
        guard codec.key?.name == key else {
            throw PointError.wrongKey(subject, sealer: key, codec.key)
        }
        return codec
    }

    private func key(_ path: String) throws -> StoreKey {
        if let key = known.withLock({ $0 }), key.path == path { return key }
        let key = try StoreKey.read(path, files.calls)
        known.withLock { $0 = key }
        return key
    }
}
