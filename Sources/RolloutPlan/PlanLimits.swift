/// What bounds the reading of plans.
enum PlanLimits {
    /// Plan files and the files that they inline; a larger one is refused before it is parsed.
    static let fileBytesMax = 1 << 20
    /// The whole plan as JSON: it must fit, with labels, into one frame of the wire (1 MiB).
    static let planBytesMax = 768 << 10
    /// Nesting of a file; deeper would only cost stack.
    static let depthMax = 32
    /// Values of a file with all aliases followed; more is an alias bomb.
    static let valuesMax = 100_000
    /// Windows, and freezes, of a calendar: each is laid out over two weeks at every reading.
    static let windowsMax = 64
    /// Items of a checklist; each event of a rollout sends all of them to whoever watches.
    static let checklistItemsMax = 200
    /// Values that a wave is said not to cover; the rest is counted.
    static let uncoveredMax = 50
    /// Problems that are listed; more help nobody.
    static let problemsMax = 200
    /// Duplicate keys that are listed before reading gives up.
    static let duplicatesMax = 20
}
