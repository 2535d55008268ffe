package import FleetWire
import Glibc

/// What a repair did.
package struct RepairSummary: Sendable, Hashable {
    /// Objects that can be read again, by their names in packs.
    package var repaired: [Digest] = []
    /// What is lost: one sentence for each object of each point, with its path where it has one.
    package var lost: [String] = []
    /// Packs that were damaged and were written anew.
    package var rewritten = 0
    /// Why something was left for the next repair, one sentence each.
    package var deferred: [String] = []
    /// Nothing was done yet.
    package init() {}
}

extension PointStore {
    /// Reads all packs, brings back damaged and missing objects from other packs or from live files
    /// whose bytes still have their digests, and builds lost tables again.
    ///
    /// Damaged packs are replaced by new ones with all that is whole. Captures wait while it runs.
    /// All is durable on return, and the findings of the last scrub are those that are left. It may
    /// be interrupted anywhere and run again. Throws `PointError` if the store cannot be read or
    /// written.
    package func repair(
        progress: @escaping (PointProgress) -> Void = { _ in }
    ) throws -> RepairSummary {
        try locked("create.lock") {
            try clearScratch()
            let codec = try keys.writing()
            var inspection = try PackInspection(files, RecordCodecs(keyed: codec), progress)
            var summary = RepairSummary()
            let assembler = PackAssembler(files, inspection.codecs)
            let search = ObjectSearch(
                root: try hostRoot(), inspection: inspection, assembler: assembler)
            for id in try ids() {
                do {
                    let (manifest, _) = try manifest(id)
                    try search.run(manifest, try reader(manifest, keys))
                } catch let error as PointError {
                    summary.lost.append("point \(id): \(error)")
                }
            }
            try inspection.copyWhole(to: assembler)
            try assembler.finish()
            summary.repaired = search.found.sorted()
            summary.lost += search.lost
            summary.deferred = inspection.obstacles
            try removeDamaged(inspection.damaged, assembler, &summary)
            try keepFindings(of: inspection, search)
            return summary
        }
    }

    private func removeDamaged(
        _ packs: [String], _ assembler: PackAssembler, _ summary: inout RepairSummary
    ) throws {
        guard !packs.isEmpty else { return }
        guard let alone = try StoreLock.objectsAlone(files) else {
            summary.deferred.append(
                "points are being read, so \(packs.count) damaged packs stay beside the new ones")
            return
        }
        try withExtendedLifetime(alone) {
            // A repair that was killed may have named packs and not synced them.
            try files.sync("packs")
            // One that was written anew just so has the name of the one that it replaced.
            for name in packs where !assembler.made.contains(name) {
                try files.delete("packs/" + name)
            }
            try files.sync("packs")
        }
        summary.rewritten = packs.count
    }

    /// What was repaired is no trouble any more.
    private func keepFindings(of inspection: PackInspection, _ search: ObjectSearch) throws {
        guard var state = try scrubState(), !state.findings.isEmpty else { return }
        state.findings = state.findings.filter { finding in
            guard let object = finding.object else {
                return finding.pack.map { !inspection.damaged.contains($0) } ?? true
            }
            return search.missing.contains(ObjectID(object))
        }
        try files.replace("", ScrubState.fileName, try WireJSON.encode(state))
    }
}
