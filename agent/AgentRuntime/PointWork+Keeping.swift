import FleetWire
import HostProcesses
import HostSnapshots

/// What keeps a store small and whole.
extension PointWork {
    /// Removes what the request names, else what retention no longer keeps.
    func prune(_ request: PointRequest) throws -> PointReply {
        var reply = PointReply(points: [])
        if let text = request.point {
            let point = try point(text)
            if let use = inUse[point.id] {
                throw Refusal(
                    code: "in_use", reason: "point \(point.id) is in use: \(use)",
                    remedy: "let that end first")
            }
            reply.prune = try prune(PointRetention(), removing: [point.id], request.dryRun == true)
        } else {
            let policy = try request.retention ?? store.settings().retention
            reply.prune = try prune(policy, dryRun: request.dryRun == true)
        }
        return reply
    }

    /// Removes what `policy`, or the default without one, no longer keeps, of what was there when
    /// `inUse` was found: a point that was taken since then may be in use without standing there.
    func prune(_ policy: PointRetention?, dryRun: Bool) throws -> PruneReply {
        let ids = Set(inUse.keys)
        if policy == nil {
            let points = try store.list()
            if DefaultRetention.keepsAll(points, now: HostClock.now()) {
                return PruneReply(removed: [], kept: points.count, freed: ByteCount(0))
            }
        }
        let plan = try store.prune(keeping: policy, inUse: ids, now: HostClock.now(), dryRun: true)
        let old = Set(try store.list().filter { $0.at < seen }.map(\.id))
        let going = plan.removed.map(\.id).filter(old.contains)
        if dryRun {
            return PruneReply(
                removed: going, kept: plan.kept + plan.removed.count - going.count,
                freed: plan.freed)
        }
        return try prune(PointRetention(), removing: Set(going), false)
    }

    private func prune(
        _ policy: PointRetention, removing: Set<PointID>, _ dryRun: Bool
    ) throws -> PruneReply {
        let done = try store.prune(
            keeping: policy, inUse: Set(inUse.keys), removing: removing, now: HostClock.now(),
            dryRun: dryRun)
        var reply = PruneReply(removed: done.removed.map(\.id), kept: done.kept, freed: done.freed)
        reply.deferred = done.deferred.isEmpty ? nil : done.deferred
        return reply
    }

    /// Reads all stored objects back; `pace` in bytes a second, nil for as fast as the idle disk
    /// gives.
    func scrub(pace: ByteCount? = nil) throws -> PointReply {
        let start = HostClock.sinceBoot()
        var objects = 0
        let state = try store.scrub(
            pace: pace, isCancelled: { cancellation.isCancelled },
            progress: {
                objects = $0.entries
                updates.progress($0)
            })
        guard state.ended != nil else { throw Refusal.stopped }
        return try assessed(
            state.findings,
            ScrubReply(
                objects: objects, bytes: state.bytes, damagedPoints: [], repaired: 0,
                took: Milliseconds(HostClock.sinceBoot() - start)))
    }

    /// Brings damaged objects back from other packs or from live files that still match.
    func repair() throws -> PointReply {
        let start = HostClock.sinceBoot()
        var objects = 0
        let done = try store.repair {
            objects = $0.entries
            updates.progress($0)
        }
        var reply = try assessed(
            try store.scrubState()?.findings ?? [],
            ScrubReply(
                objects: objects, bytes: ByteCount(0), damagedPoints: [],
                repaired: done.repaired.count, took: Milliseconds(HostClock.sinceBoot() - start)))
        reply.damaged = (done.lost + done.deferred).map { HostPath.asPlanned($0, root: root) }
        return reply
    }

    /// Which points suffer from what was found; every object of each is read for it.
    private func assessed(
        _ findings: [ScrubFinding], _ scrub: ScrubReply
    ) throws -> PointReply {
        var scrub = scrub
        var damaged: [String] = findings.map { finding in
            let place = finding.point.map { "point \($0)" } ?? finding.pack.map { "pack \($0)" }
            return "\(place ?? "the store"): \(finding.problem)"
        }
        if !findings.isEmpty {
            for point in try store.list() {
                let found = (try? store.verify(point.id, deep: true)) ?? ["it cannot be read"]
                if found.isEmpty { continue }
                scrub.damagedPoints.append(point.id)
                damaged += found.map { "point \(point.id): \($0)" }
            }
        }
        var reply = PointReply(points: [])
        reply.damaged = damaged.map { HostPath.asPlanned($0, root: root) }
        reply.scrub = scrub
        return reply
    }
}
