import Glibc

/// The clone files of one capture, for all its threads: made beside, synced and renamed before the
/// first pack that names one is; the format's section "Clones".
// Proof: every use of what can change is under the monitor.
final class CloneKeeper: @unchecked Sendable {
    /// What the file system answers if it cannot clone from there: it will not change its mind.
    private static let refusals: Set<Int32> = [EXDEV, EOPNOTSUPP, ENOTTY, ENOSYS]
    /// What keeps one file from being cloned: a swap file, one with other flags, one that is sealed.
    private static let exceptions: Set<Int32> = [EINVAL, EPERM, ETXTBSY, EISDIR]

    private let monitor = Monitor()
    private let files: StoreFiles
    /// Called before the first clone is made; throws if there is no space for the capture.
    private let beforeFirstWrite: () throws -> Void
    private var number = 0
    /// Devices whose files cannot be cloned into the store.
    private var refusing: Set<UInt64> = []
    /// Clones that packs will name and that stand beside.
    private var pending: [(beside: String, name: String)] = []
    private var pendingNames: Set<String> = []
    /// Clone files that were not there before.
    private var made: [String] = []

    init(_ files: StoreFiles, beforeFirstWrite: @escaping () throws -> Void) {
        self.files = files
        self.beforeFirstWrite = beforeFirstWrite
    }

    deinit { for clone in pending { files.remove(clone.beside) } }

    /// A clone of `source`, a file of `device`; nil if there can be none, so that it must be copied.
    func clone(_ source: Descriptor, device: UInt64) throws -> CloneDraft? {
        try beforeFirstWrite()
        let beside: String? = monitor.look {
            if refusing.contains(device) { return nil }
            number += 1
            return ClonePlace.folder + "/.clone.\(number).\(getpid())"
        }
        guard let beside else { return nil }
        let file = try files.open(
            beside, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600)
        let draft = CloneDraft(files, file, beside)
        let code = try Self.clone(file, from: source, Array(files.path(of: beside).utf8))
        if code == 0 { return draft }
        if Self.refusals.contains(code) { monitor.look { _ = refusing.insert(device) } }
        return nil
    }

    /// Makes `target`, which is empty, share the bytes of `source`. 0, or the errno with which the
    /// file system refuses to, so that they must be copied. Throws `PointError` if it fails to.
    static func clone(
        _ target: Descriptor, from source: Descriptor, _ path: [UInt8]
    ) throws -> Int32 {
        while target.calls.clone(target.raw, from: source.raw) != 0 {
            let code = errno
            if code == EINTR { continue }
            guard refusals.contains(code) || exceptions.contains(code) else {
                throw PointError.system("clone into", path, code)
            }
            return code
        }
        return 0
    }

    /// Keeps `draft` for the records that will name `place`.
    func keep(_ draft: CloneDraft, as place: ClonePlace) {
        monitor.look {
            // The same content, met twice at the same time: one clone does for both.
            guard pendingNames.insert(place.name).inserted else { return }
            pending.append((draft.beside, place.name))
            draft.isKept = true
        }
    }

    /// All clones that are kept are durable under their names on return.
    func settle() throws {
        try monitor.look {
            guard !pending.isEmpty else { return }
            let folder = try files.open(ClonePlace.folder, O_RDONLY | O_DIRECTORY)
            let path = Array(files.path(of: ClonePlace.folder).utf8)
            // One for all: a pack may name thousands of clones.
            guard folder.calls.syncfs(folder.raw) == 0 else {
                throw PointError.system("sync the file system of", path, errno)
            }
            for clone in pending {
                // One of the same content that nobody names may stand there, whole or not.
                let isNew = try !files.isThere(clone.name)
                try files.rename(clone.beside, clone.name)
                if isNew { made.append(clone.name) }
            }
            pending = []
            pendingNames = []
            try folder.sync(path)
        }
    }

    /// Removes the clones that were made; no pack that names one may be there any more.
    func discard() {
        monitor.look {
            for name in made + pending.map(\.beside) { files.remove(name) }
            made = []
            pending = []
            pendingNames = []
        }
    }
}

/// A clone beside, removed when nobody holds it unless it was kept.
final class CloneDraft {
    let file: Descriptor
    let beside: String
    fileprivate(set) var isKept = false
    private let files: StoreFiles

    fileprivate init(_ files: StoreFiles, _ file: Descriptor, _ beside: String) {
        self.files = files
        self.file = file
        self.beside = beside
    }

    deinit { if !isKept { files.remove(beside) } }
}
