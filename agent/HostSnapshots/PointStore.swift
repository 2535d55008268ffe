package import FleetWire

/// The rollback points of one host: captures of components in a content store, and their restore.
package struct PointStore: Sendable {
    /// The store's directory, 0700.
    package let directory: String
    /// Paths of components lie below this; `/` on a real host.
    package let root: String
    let services: any ServiceControlling

    /// Opens the store in `directory` and makes it if it is missing.
    package init(
        directory: String, root: String, services: any ServiceControlling
    ) throws {
        self.directory = directory
        self.root = root
        self.services = services
    }

    /// Captures `components`; the point is verified and durable on return.
    package func create(
        id: PointID, at: Timestamp, reason: String, rollout: RolloutID?,
        components: [ComponentSpec]
    ) throws -> PointSummary { throw NotYet() }

    /// Gives `components` (all if nil) of the point back exactly as they were captured.
    package func restore(
        point id: PointID, components: Set<ComponentName>? = nil,
        progress: (RestoreProgress) -> Void = { _ in }
    ) throws -> RestoreSummary { throw NotYet() }

    /// The points, oldest first.
    package func list() throws -> [PointSummary] { throw NotYet() }

    /// One point and its entries, one line each: mode, owner, size, path.
    package func show(_ id: PointID) throws -> (summary: PointSummary, entries: [String]) {
        throw NotYet()
    }

    /// Rehashes the manifest and all objects of a point; empty means whole.
    package func verify(_ id: PointID) throws -> [String] { throw NotYet() }

    /// A digest over the present content and metadata of `components`.
    package func stateDigest(_ components: [ComponentSpec]) throws -> Digest { throw NotYet() }

    /// The space that a capture of `components` can take at most.
    package func spaceNeeded(_ components: [ComponentSpec]) throws -> ByteCount { throw NotYet() }

    /// An id that sorts by time: `YYYYMMDDTHHMMSSmmmZ-` and 8 hexadecimal digits of `random`.
    package static func makeID(at: Timestamp, random: [UInt8]) -> PointID {
        PointID(unchecked: "x")
    }
}

struct NotYet: Error {}
