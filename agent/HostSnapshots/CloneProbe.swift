import Glibc

/// Finds out whether files can be cloned into a file system by doing so: into a file without a name
/// that nobody sees and that is gone with the probe. Asked only where copies would not fit.
final class CloneProbe {
    /// `O_TMPFILE` of Linux, which Glibc's module does not give.
    private static let unnamed: Int32 = 0o20_000_000 | O_DIRECTORY

    private let target: Descriptor

    /// Nil if the file system of `folder` has no files without names: it cannot clone either.
    init?(in folder: Descriptor) {
        let here = [UInt8(ascii: ".")]
        guard let file = folder.open(here, O_RDWR | Self.unnamed, mode: 0o600) else { return nil }
        target = file
    }

    /// True if `source` was cloned just now. What fails for whatever reason has to be copied.
    func accepts(_ source: Descriptor) -> Bool {
        guard (try? CloneKeeper.clone(target, from: source, [])) == 0 else { return false }
        return target.calls.ftruncate(target.raw, 0) == 0
    }

    /// What a clone of `bytes` takes at most for its own metadata: 1 block, and 1/32 for extents,
    /// where the original is in many small pieces.
    static func metadataBytes(of bytes: UInt64) -> UInt64 { 4096 + bytes / 32 }
}
