import FleetWire
import Glibc
import HostProcesses
import HostSnapshots

/// Requests on points, carried out on the thread of who calls; each blocks until it has ended.
struct PointWork {
    /// A line that is longer is cut, so that one line alone always fits a page.
    private static let lineBytesMax = 16_384

    let store: PointStore
    /// Why points are in use, by their ids.
    let inUse: [PointID: String]
    /// What the last look at each damaged point found.
    let damaged: Set<PointID>
    let root: String
    let updates: ControlUpdates
    /// When `inUse` was found.
    let seen = HostClock.now()
    /// Raised when nobody wants the result any more.
    let cancellation: OwnThread.Cancellation

    init(
        store: PointStore, inUse: [PointID: String], damaged: Set<PointID>, root: String,
        updates: ControlUpdates, cancellation: OwnThread.Cancellation? = nil
    ) {
        self.store = store
        self.inUse = inUse
        self.damaged = damaged
        self.root = root
        self.updates = updates
        self.cancellation = cancellation ?? updates.cancellation
    }

    func carry(_ request: PointRequest) throws -> PointReply {
        switch request.action {
        case .list: return PointReply(points: try list())
        case .create: return try create(request)
        case .show: return try show(request)
        case .verify: return try verify(request)
        case .prune: return try prune(request)
        case .scrub: return try scrub()
        case .repair: return try repair()
        case .diff: return try diff(request)
        case .restore: return try dryRun(request)
        }
    }

    // MARK: - Naming a point

    /// The point that `text` names: an id, a name, a beginning of an id that only one has, or
    /// `latest`. Throws `Refusal` with `invalid`, `not_found` or `ambiguous`.
    func point(_ text: String?) throws -> PointSummary {
        guard let text, !text.isEmpty else {
            throw Refusal(
                code: "invalid", reason: "name a point",
                remedy: "an id, a name, the beginning of an id, or latest")
        }
        let points = try store.list()
        if text == "latest", let newest = points.last { return newest }
        // A name is looked for in what is listed: it is one read of each manifest, not two.
        if let found = points.first(where: { $0.id.rawValue == text || $0.name == text }) {
            return found
        }
        let found = points.filter { $0.id.rawValue.hasPrefix(text) }
        guard let only = found.first else {
            throw Refusal(
                code: "not_found", reason: "no point of this host is called \(text)",
                remedy: "list the points and name one of them")
        }
        guard found.count == 1 else {
            let names = found.prefix(5).map(\.id.rawValue).joined(separator: ", ")
            throw Refusal(
                code: "ambiguous", reason: "\(found.count) points begin so: \(names)",
                remedy: "write more of the id")
        }
        return only
    }

    /// The point as lists show it.
    func shown(_ point: PointSummary) -> PointSummary {
        var point = point
        point.inUse = inUse[point.id]
        point.isDamaged = damaged.contains(point.id) ? true : point.isDamaged
        return point
    }

    // MARK: - What there is

    private func list() throws -> [PointSummary] { try store.list().map(shown) }

    private func show(_ request: PointRequest) throws -> PointReply {
        let point = try point(request.point)
        let pages = textPages(request) { [updates] in
            var line = ControlLine()
            line.entries = $0
            updates.send(line)
        }
        _ = try store.show(point.id) { _, entry in
            try check()
            pages.add(entry)
            return true
        }
        var reply = PointReply(points: [shown(point)])
        reply.entries = pages.end()
        reply.more = pages.more
        return reply
    }

    private func verify(_ request: PointRequest) throws -> PointReply {
        let point = try point(request.point)
        let pages = textPages(request) { [updates] in
            var line = ControlLine()
            line.damaged = $0
            updates.send(line)
        }
        let damaged = try store.verify(
            point.id, deep: request.deep == true, progress: updates.progress)
        for line in damaged { pages.add(HostPath.asPlanned(line, root: root)) }
        var looked = shown(point)
        looked.isDamaged = !damaged.isEmpty
        var reply = PointReply(points: [looked])
        reply.damaged = pages.end()
        reply.more = pages.more
        return reply
    }

    private func textPages(
        _ request: PointRequest, _ stream: @escaping ([String]) -> Void
    ) -> LinePages<String> {
        LinePages(
            skip: request.skip, cost: { 2 * min($0.utf8.count, Self.lineBytesMax) + 4 },
            stream: updates.streams ? stream : nil)
    }

    // MARK: - Capturing

    private func create(_ request: PointRequest) throws -> PointReply {
        guard let components = request.components, !components.isEmpty else {
            throw Refusal(code: "invalid", reason: "a point needs components")
        }
        if let name = request.name { try check(name: name) }
        let made = try capture(
            components, reason: request.reason ?? "by hand", name: request.name,
            rereads: request.rereads ?? false)
        return PointReply(points: [shown(made)])
    }

    /// A name must never be taken for an id or a beginning of one.
    private func check(name: String) throws {
        guard let checked = ComponentName(name), checked.rawValue != "latest",
            name.first?.isNumber == false
        else {
            throw Refusal(
                code: "invalid", reason: "\(name) is no name for a point",
                remedy: "use 1 to 128 of [A-Za-z0-9._-] that begin with a letter; not latest")
        }
        if let other = try store.list().first(where: { $0.name == name }) {
            throw Refusal(
                code: "exists", reason: "point \(other.id) has the name \(name)",
                remedy: "take another name, or prune that point")
        }
    }

    func capture(
        _ components: [ComponentSpec], reason: String, name: String? = nil,
        rollout: RolloutID? = nil, rereads: Bool = false
    ) throws -> PointSummary {
        let now = HostClock.now()
        let random = (0..<4).map { _ in UInt8.random(in: .min ... .max) }
        let made: PointSummary
        do {
            made = try store.create(
                id: PointStore.makeID(at: now, random: random), at: now, name: name,
                reason: reason, rollout: rollout, components: components, rereads: rereads,
                isStopped: { [cancellation] in cancellation.isCancelled },
                progress: updates.progress)
        } catch {
            throw cancellation.isCancelled ? Refusal.stopped : error
        }
        guard cancellation.isCancelled else { return made }
        // It was stopped too late for the capture, so what it made goes again.
        _ = try store.prune(
            keeping: PointRetention(), inUse: Set(inUse.keys), removing: [made.id],
            now: HostClock.now())
        throw Refusal.stopped
    }

    /// Throws once nobody wants the answer any more.
    private func check() throws {
        if cancellation.isCancelled { throw Refusal.stopped }
    }
}

extension Refusal {
    /// What was asked for was stopped by who asked; nothing was changed.
    static let stopped = Refusal(
        code: "cancelled", reason: "it was stopped; nothing was changed")
}
