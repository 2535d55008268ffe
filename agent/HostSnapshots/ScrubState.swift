package import FleetWire

/// Something that a scrub found wrong.
package struct ScrubFinding: Codable, Sendable, Hashable {
    /// The pack that holds it; nil for a manifest.
    package var pack: String?
    /// The point whose manifest is damaged; nil for a pack.
    package var point: PointID?
    /// The object's name in packs; nil if a whole pack or manifest is meant.
    package var object: Digest?
    /// One sentence.
    package var problem: String
}

/// How far the scrub of a store is and what it found: `scrub.json`.
package struct ScrubState: Codable, Sendable, Hashable {
    static let version = 1
    static let fileName = "scrub.json"

    var version = Self.version
    /// When it began.
    package var began: Timestamp
    /// When it was through; nil while it is under way or after it was interrupted.
    package var ended: Timestamp?
    /// The last pack that was looked at.
    var lastPack: String?
    /// Stored bytes that were looked at.
    package var bytes: ByteCount
    /// What it found, the first 1,000.
    package var findings: [ScrubFinding]

    init(began: Timestamp) {
        self.began = began
        bytes = ByteCount(0)
        findings = []
    }
}
