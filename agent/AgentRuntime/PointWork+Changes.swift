import FleetWire
import HostSnapshots

/// What differs between points, and between a point and the host.
extension PointWork {
    func diff(_ request: PointRequest) throws -> PointReply {
        let (old, new) = (try point(request.point), try request.other.map { try point($0) })
        var held = try store.components(of: old.id)
        if let new {
            held += try store.components(of: new.id).filter { other in
                !held.contains { $0.name == other.name }
            }
        }
        let chosen = Set(try request.choice(of: held, old.id))
        let pages = changePages(request)
        for change in try store.difference(old.id, new?.id)
        where chosen.contains(change.component) { pages.add(HostChange(change)) }
        var reply = PointReply(points: [old, new].compactMap { $0.map(shown) })
        reply.changes = pages.end()
        reply.more = pages.more
        return reply
    }

    /// What a restore would do.
    func dryRun(_ request: PointRequest) throws -> PointReply {
        let point = try point(request.point)
        let chosen = try request.choice(of: try store.components(of: point.id), point.id)
        let pages = changePages(request)
        var removed = 0
        let changes = try store.changes(point: point.id, components: Set(chosen))
        for change in changes {
            if change.change == .removed { removed += 1 }
            pages.add(HostChange(change))
        }
        var reply = PointReply(points: [shown(point)])
        reply.changes = pages.end()
        reply.more = pages.more
        reply.restore = RestoreReply(
            point: point.id, before: nil, components: chosen, changed: changes.count - removed,
            removed: removed, took: .zero)
        return reply
    }

    private func changePages(_ request: PointRequest) -> LinePages<HostChange> {
        let stream: ([HostChange]) -> Void = { [updates] in
            var line = ControlLine()
            line.changes = $0
            updates.send(line)
        }
        return LinePages(
            skip: request.skip,
            cost: { 2 * ($0.path.utf8.count + $0.detail.utf8.count) + 128 },
            stream: updates.streams ? stream : nil)
    }
}

extension HostChange {
    fileprivate init(_ change: PointChange) {
        let kind: Kind =
            switch change.change {
            case .added: .added
            case .removed: .removed
            case .content: .content
            case .metadata: .metadata
            case .kind: .kind
            }
        self.init(
            component: change.component, path: change.path, change: kind, detail: change.detail)
    }
}
