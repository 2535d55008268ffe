import FoundationEssentials
import Glibc

/// Moves datasets from release 1's layout to release 2's, one after the other.
///
/// Each dataset is copied, synced, read back against the catalog's checksum and listed in its
/// manifest before the old file goes; so it may stop anywhere and be run again.
package struct DatasetMigration: Sendable {
    /// What was done for one dataset.
    package enum Outcome: Sendable, Equatable {
        /// It was moved now.
        case moved
        /// It was in place already.
        case alreadyInPlace
    }

    private let files: DatasetFiles

    /// A migration into files in release 2's layout.
    package init(into files: DatasetFiles) {
        self.files = files
    }

    /// Moves one dataset; refuses bytes that are not those of the catalog, and leaves them alone.
    package func migrate(_ record: DatasetRecord) throws -> Outcome {
        let old = "\(files.directory)/\(record.name).csv"
        let new = "\(files.directory)/\(record.path)"
        let hadOld = DurableFile.exists(old)
        if hadOld, record.version == 1 {
            let bytes = try DurableFile.read(old)
            guard Checksum.sha256(bytes) == record.sha256 else {
                throw RegistryProblem(
                    .corrupt,
                    "dataset \(record.name): \(old) is not what the catalog lists "
                        + "(SHA-256 \(record.sha256)); nothing of it was changed")
            }
            if !DurableFile.exists(new) {
                try files.write(bytes, for: record)
            }
        }
        guard DurableFile.exists(new) else {
            throw RegistryProblem(
                .corrupt, "dataset \(record.name) is neither at \(old) nor at \(new)")
        }
        _ = try files.read(record)
        try files.addToManifest(record)
        try files.check(record)
        guard hadOld, record.version == 1 else { return .alreadyInPlace }
        try DurableFile.remove(old)
        return .moved
    }
}
