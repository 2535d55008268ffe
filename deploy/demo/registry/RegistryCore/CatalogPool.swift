import Synchronization

/// The connections to one catalog: one that writes, and as many that read as are configured.
package final class CatalogPool: Sendable {
    /// The connection that writes.
    package let writer: Catalog
    private let readers: [Catalog]
    private let turn = Atomic<Int>(0)

    /// Opens all connections; refuses a schema that is not the release's.
    package init(path: String, readers: Int, release: Release) throws {
        writer = try Catalog(path: path, release: release)
        self.readers = try (0..<max(1, readers)).map { _ in
            try Catalog(path: path, release: release)
        }
    }

    /// The connection whose turn it is to read.
    package var reader: Catalog {
        let next = turn.wrappingAdd(1, ordering: .relaxed).oldValue
        return readers[Int(UInt(bitPattern: next) % UInt(readers.count))]
    }
}
