/// What the store holds itself to. docs/reference/rollback-point-format.md names these numbers.
enum SnapshotLimits {
    /// Raw bytes of one object at most; part of the format, since it decides where files are cut.
    static let chunkBytes = 1 << 20
    /// Bytes after which a pack is closed; larger ones cost more to read back at once.
    static let packBytesMax = 64 << 20
    /// Bytes of a pack's file beyond which no lost table is looked for: no pack gets half as large
    /// again as `packBytesMax` by its last record and its table, and reading on would never end.
    static let packFileBytesMax = 2 * packBytesMax
    /// Objects after which a pack is closed: its table is in memory until then.
    static let packRecordsMax = 65_536
    /// Packs of one thread that are written and not yet synced: the kernel writes them out while
    /// the next is filled.
    static let packsUnsyncedMax = 2
    /// Threads of a capture: one more reads and compresses beside the one that walks.
    static let threadsMax = 2
    /// Packs that one operation holds open; more, and a large store meets the limit of open files.
    static let packsOpenMax = 64
    /// Bytes of one entry in a catalogue at most; a larger one is damage, not data.
    static let entryBytesMax = 1 << 30
    /// Directories below each other; each holds one descriptor open while it is walked.
    static let depthMax = 512
    /// How often a file that changes while it is read is read.
    static let readAttempts = 3
    /// Nanoseconds that a change must lie back before the index believes its time: within the
    /// clock's tick two changes look like one.
    static let settledNanoseconds: Int64 = 1_000_000_000
    /// Bytes of a manifest at most.
    static let manifestBytesMax = 64 << 20
    /// Bytes of `settings.json` and of `scrub.json` at most.
    static let settingsBytesMax = 1 << 20
    /// Findings that `scrub.json` keeps: more say nothing new.
    static let findingsMax = 1000
    /// Bytes of a feature flag file at most.
    static let flagsBytesMax = 16 << 20
    /// Bytes of a stream that a driver's program writes, at most, unless the plan says otherwise.
    static let streamBytesMax: UInt64 = 16 << 30
    /// Bytes kept free beside a capture or a restore, for tables and directories.
    static let spareBytes: UInt64 = 1 << 20
    /// Bytes of a file from which on it is cloned where that can be: a smaller one costs less in a
    /// pack than a file of its own does.
    static let cloneBytesMin: UInt64 = 128 << 10
    /// Bytes that a restore writes between two syncs ahead of the last one: with fewer the writing
    /// waits for the journal of the file system, with more the last sync is long.
    static let earlySyncBytes = 48 << 20
    /// zstd's level: the fastest that still halves text.
    static let compressionLevel: Int32 = 1
    /// Files of a tree that must differ, and for each that does not, before all of it is exchanged:
    /// fewer are renamed one by one, which leaves the directory itself in its place.
    static let exchangedFilesMin = 8
}
