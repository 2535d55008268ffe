/// Questions and orders about a host's rollback points, and the answers.

/// What is asked of a host's points, by the coordinator or by an operator on the host.
///
/// `create`, `restore`, `prune` and `repair` change something: they are refused with
/// `stale_generation` as orders are, and `restore` with `busy` while a transaction is open.
package struct PointRequest: Codable, Sendable, Hashable {
    /// The things that can be asked.
    package enum Action: String, Codable, Sendable, Hashable, CaseIterable {
        /// All points.
        case list
        /// Capture components now.
        case create
        /// What one point holds.
        case show
        /// What differs between two points, or between a point and now.
        case diff
        /// Whether a point can be restored: its manifest and catalogues, with `deep` all of it.
        case verify
        /// Give components back as a point holds them.
        case restore
        /// Remove points that retention no longer keeps, or `point` alone.
        case prune
        /// Read all stored objects back.
        case scrub
        /// Store damaged objects of a point anew from live files that still match.
        case repair
    }

    /// What to do.
    package var action: Action
    /// The point, with show, diff, verify, restore and repair; with prune, the only one that goes.
    /// An id, a name, a beginning of an id that only one has, or `latest`.
    package var point: String?
    /// With diff: the newer side, named as `point` is; nil is the host as it is now.
    package var other: String?
    /// With create: what to capture.
    package var components: [ComponentSpec]?
    /// With restore and diff: which part; nil is all.
    package var scope: RollbackScope?
    /// With restore and diff: only these components of the scope; nil is all of them.
    package var only: [ComponentName]?
    /// With create: an operator's name for the point, unique on the host.
    package var name: String?
    /// With create, restore, prune: the operator's words.
    package var reason: String?
    /// With create: read every file again, whatever the index knows.
    package var rereads: Bool?
    /// With verify: rehash every object, not only what describes the point.
    package var deep: Bool?
    /// With restore, prune: say what would be done and change nothing.
    package var dryRun: Bool?
    /// With restore: do not capture the present state before.
    package var noCapture: Bool?
    /// With prune: what to keep, in place of the store's own settings.
    package var retention: PointRetention?
    /// With show, diff, verify: lines to leave out at the beginning, to page through them.
    package var skip: Int?

    /// A request for this action; all else is nil until it is set.
    package init(action: Action, point: String? = nil) {
        self.action = action
        self.point = point
    }

    /// True if carrying it out changes the host or its store.
    package var mutates: Bool {
        switch action {
        case .create, .repair: true
        case .restore, .prune: dryRun != true
        case .list, .show, .diff, .verify, .scrub: false
        }
    }
}

/// Which points retention keeps; a limit that is nil does not bind. A point goes once any limit
/// says so, unless it is in use or the last good one.
package struct PointRetention: Codable, Sendable, Hashable {
    /// At most this many good points, the newest; at least 1.
    package var count: Int?
    /// None older than this.
    package var age: Milliseconds?
    /// The newest whose stored bytes together are at most this, what several share counted once.
    package var bytes: ByteCount?
    /// A retention of these limits.
    package init(count: Int? = nil, age: Milliseconds? = nil, bytes: ByteCount? = nil) {
        self.count = count
        self.age = age
        self.bytes = bytes
    }
}

/// One difference between two states of a host's component.
package struct HostChange: Codable, Sendable, Hashable {
    /// How the newer state differs from the older; for a restore, what the restore does.
    package enum Kind: String, Codable, Sendable, Hashable, CaseIterable {
        /// It is there only in the newer state.
        case added
        /// It is there only in the older state.
        case removed
        /// Its bytes differ.
        case content
        /// Only mode, owner, times or extended attributes differ.
        case metadata
        /// It is of another kind: a file became a link, and the like.
        case kind
    }
    /// The component.
    package var component: ComponentName
    /// The path, bytes outside printable ASCII as `%XX`; for a service or package its name.
    package var path: String
    /// How it differs.
    package var change: Kind
    /// What differs, in words: `mode 0644 → 0600`.
    package var detail: String
    /// A change of these fields.
    package init(component: ComponentName, path: String, change: Kind, detail: String) {
        self.component = component
        self.path = path
        self.change = change
        self.detail = detail
    }
}

/// What a restore did, or with `dryRun` would do.
package struct RestoreReply: Codable, Sendable, Hashable {
    /// The point that was restored.
    package var point: PointID
    /// The state before, captured first; restoring it takes this restore back.
    package var before: PointID?
    /// The components that were asked for.
    package var components: [ComponentName]
    /// Entries written or repaired.
    package var changed: Int
    /// Entries removed because the point does not hold them.
    package var removed: Int
    /// How long it took; nothing for a dry run.
    package var took: Milliseconds
    /// A reply of these fields.
    package init(
        point: PointID, before: PointID?, components: [ComponentName], changed: Int,
        removed: Int, took: Milliseconds
    ) {
        self.point = point
        self.before = before
        self.components = components
        self.changed = changed
        self.removed = removed
        self.took = took
    }
}

/// What a prune removed, or with `dryRun` would remove.
package struct PruneReply: Codable, Sendable, Hashable {
    /// The points that went, oldest first.
    package var removed: [PointID]
    /// Points that stay.
    package var kept: Int
    /// Bytes that the store no longer takes.
    package var freed: ByteCount
    /// Why something was left for the next prune, one sentence each; nil if nothing was.
    package var deferred: [String]?
    /// A reply of these fields.
    package init(removed: [PointID], kept: Int, freed: ByteCount) {
        self.removed = removed
        self.kept = kept
        self.freed = freed
    }
}

/// What a scrub or a repair found.
package struct ScrubReply: Codable, Sendable, Hashable {
    /// Objects that were read back and hashed.
    package var objects: Int
    /// Their stored bytes.
    package var bytes: ByteCount
    /// Points that cannot be restored in full as they are.
    package var damagedPoints: [PointID]
    /// Objects that were stored anew from live files.
    package var repaired: Int
    /// How long it took.
    package var took: Milliseconds
    /// A reply of these fields.
    package init(
        objects: Int, bytes: ByteCount, damagedPoints: [PointID], repaired: Int,
        took: Milliseconds
    ) {
        self.objects = objects
        self.bytes = bytes
        self.damagedPoints = damagedPoints
        self.repaired = repaired
        self.took = took
    }
}

/// The host's answer; a request that failed is answered `refused`.
package struct PointReply: Codable, Sendable, Hashable {
    /// The points asked for; with create, prune and restore those that it made or concerns.
    package var points: [PointSummary]
    /// With show: the entries, `mode owner size path`.
    package var entries: [String]?
    /// With verify, scrub and repair: what is damaged; empty if all of it was read and is whole.
    package var damaged: [String]?
    /// With diff, and with restore for a dry run: the differences.
    package var changes: [HostChange]?
    /// Lines of entries, damaged or changes after those that are here; 0 at the end.
    package var more: Int?
    /// With restore.
    package var restore: RestoreReply?
    /// With prune.
    package var prune: PruneReply?
    /// With scrub and repair.
    package var scrub: ScrubReply?
    /// A reply of these fields.
    package init(points: [PointSummary], entries: [String]? = nil, damaged: [String]? = nil) {
        self.points = points
        self.entries = entries
        self.damaged = damaged
    }
}
