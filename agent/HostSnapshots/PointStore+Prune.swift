package import FleetWire
import Glibc

extension PointStore {
    /// Removes points that `policy` does not allow, then what no point needs any more. Without a
    /// policy `DefaultRetention` decides.
    ///
    /// `inUse` are points that stay whatever their age, each with the newest good one of its
    /// rollout; the last good point stays too. `removing` are points that go whether a limit says so
    /// or not. A dry run only says what would go. Captures wait while it runs; if a restore or
    /// another reader runs, nothing is removed and `deferred` says so.
    /// All that it removed is gone durably on return. It may be interrupted anywhere and run again.
    /// Throws `PointError`, also if a point of `removing` must stay or is not there.
    package func prune(
        keeping policy: PointRetention?, inUse: Set<PointID>, removing: Set<PointID> = [],
        now: Timestamp, dryRun: Bool = false
    ) throws -> PruneSummary {
        if dryRun {
            let lock = try StoreLock.objectsInUse(files)
            return try withExtendedLifetime(lock) {
                let (plan, collector) = try decide(policy, inUse, removing, now)
                return summary(plan, collector, freed: collector?.freedAtMost ?? 0)
            }
        }
        return try locked("create.lock") {
            try clearScratch()
            var (plan, collector) = try decide(policy, inUse, removing, now)
            try collector?.rewrite()
            return try remove(plan, collector)
        }
    }

    private func decide(
        _ policy: PointRetention?, _ inUse: Set<PointID>, _ removing: Set<PointID>,
        _ now: Timestamp
    ) throws -> (PrunePlan, PackCollector?) {
        var plan = PrunePlan(policy, now: now)
        var manifests: [Manifest] = []
        let ids = try ids()
        for id in removing where !ids.contains(id) || inUse.contains(id) {
            if !ids.contains(id) { _ = try manifest(id) }
            throw PointError(
                "remove", "rollback point \(id)", "it is in use", "end what uses it first")
        }
        for id in ids {
            do {
                manifests.append(try manifest(id).0)
            } catch {
                plan.add(damaged: id, error, isNamed: removing.contains(id))
            }
        }
        manifests.sort { ($0.at, $0.id) > ($1.at, $1.id) }
        var rollouts = Set(manifests.filter { inUse.contains($0.id) }.compactMap(\.rollout))
        var readers: [String: ObjectReader] = [:]
        for manifest in manifests {
            let key = manifest.key ?? ""
            let objects = try readers[key] ?? reader(manifest, keys)
            readers[key] = objects
            try plan.add(
                manifest, needs: PointNeeds(manifest, objects, beyond: plan.needed),
                use: inUse.contains(manifest.id) ? "in use" : nil,
                isNamed: removing.contains(manifest.id), rollouts: &rollouts)
        }
        try plan.finish()
        guard plan.obstacles.isEmpty else { return (plan, nil) }
        let codecs = RecordCodecs(
            keyed: readers.values.map(\.codec).first { $0.key != nil } ?? .plain)
        return (plan, try PackCollector(files, codecs, needed: plan.needed))
    }

    /// One that takes no lock: the prune holds off all others.
    func reader(_ manifest: Manifest, _ keys: StoreKeys) throws -> ObjectReader {
        try StoredPoints(files: files, keys: keys).objects(of: manifest, isLocking: false)
    }

    /// Steps 4 to 6 of the format's order.
    private func remove(_ plan: PrunePlan, _ collector: PackCollector?) throws -> PruneSummary {
        guard let restoring = try StoreLock.attempt("restore.lock", files) else {
            return deferred(plan, "a restore is running, so nothing was removed")
        }
        guard let alone = try StoreLock.objectsAlone(files) else {
            return deferred(plan, "points are being read, so nothing was removed")
        }
        return try withExtendedLifetime((restoring, alone)) {
            let stays = try removePoints(plan)
            var summary = summary(plan, collector, freed: collector?.freed ?? 0)
            guard let collector, stays.isEmpty else {
                summary.removed.removeAll { stays[$0.id] != nil }
                summary.kept += stays.count
                summary.freed = ByteCount(0)
                summary.collected = 0
                summary.deferred += stays.values.sorted()
                return summary
            }
            // What stays, and what is gone already: one that was killed may not have synced it.
            try files.sync("packs")
            for name in collector.removed { try files.delete("packs/" + name) }
            if !collector.removed.isEmpty { try files.sync("packs") }
            let clones = try collector.idleClones()
            for name in clones { try files.delete(name) }
            if !clones.isEmpty { try files.sync(ClonePlace.folder) }
            summary.collected += clones.count
            return summary
        }
    }

    /// Removes points, and before each what drivers keep outside the store for it, so that one that
    /// is cut off is done again. Gives those that stay because a driver failed, with why.
    private func removePoints(_ plan: PrunePlan) throws -> [PointID: String] {
        var stays: [PointID: String] = [:]
        for verdict in plan.removed {
            do {
                try forget(verdict.id)
            } catch {
                stays[verdict.id] = "point \(verdict.id) stays: \(error)"
                continue
            }
            try files.delete("points/\(verdict.id).json")
        }
        // Also what a prune that was killed has removed, before packs follow.
        try files.sync("points")
        return stays
    }

    private func deferred(_ plan: PrunePlan, _ why: String) -> PruneSummary {
        var summary = PruneSummary()
        summary.kept = plan.kept + plan.removed.count
        summary.protected = plan.protected
        summary.deferred = [why]
        return summary
    }

    private func summary(
        _ plan: PrunePlan, _ collector: PackCollector?, freed: UInt64
    ) -> PruneSummary {
        var summary = PruneSummary()
        summary.removed = plan.removed
        summary.protected = plan.protected
        summary.kept = plan.kept
        summary.collected = collector?.removed.count ?? 0
        summary.freed = ByteCount(freed)
        summary.deferred = plan.obstacles + (collector?.obstacles ?? [])
        return summary
    }
}
