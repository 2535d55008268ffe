import FleetWire

/// What the machine keeps of one host.
struct HostRecord: Codable, Sendable, Hashable {
    let id: HostID
    let wave: Int
    let domain: Int
    /// Its place among the plan's hosts.
    let place: Int
    /// Where it stands, as operators see it.
    var state = HostState.pending
    var since: Timestamp
    var connected: Bool
    /// Since when it is not connected, while that is being timed.
    var lostAt: Timestamp?
    /// Set while an order waits to be given again that it refused for what passes.
    var refusal: PassingRefusal?
    /// When it is looked at next; an earlier alarm of it that still stands counts for nothing.
    var alarm: Timestamp?
    /// The lines that hold it, whether it still belongs there or not.
    var lines: HostLine.Kinds = []
    /// When its session ended, while that may be part of a mass loss.
    var recentLossAt: Timestamp?
    /// True while the present mass loss waits for it.
    var vanished = false
    /// True once it goes alone, after the rollout succeeded without it.
    var alone = false
    /// True if `deadline` is the one of health, shorter than the one of migration.
    var isHealthTimed = false
    /// When the order that it is under must have ended.
    var deadline: Timestamp?
    var attempt = 0
    /// The order that it is under; given again whenever its session begins.
    var open: GivenOrder?
    /// True from the order to migrate until all of it was taken back or it said that nothing changed.
    var touched = false
    /// True if it was touched at any time in this rollout.
    var everTouched = false
    /// The step that cannot be taken back which it began; nil before, and once all was taken back.
    var pastReturn: String?
    /// Components that went back alone; empty once all was taken back.
    var partsBack: [ComponentName] = []
    /// True from confirmation on, until it is taken back.
    var kept = false
    /// True while the present rollback waits for it.
    var undo = false
    /// True once it counted against the failure budget.
    var spent = false
    /// True if an operator left it out.
    var skipped = false
    /// Its place in the order in which hosts were touched; a rollback goes from the highest down.
    var touchOrder = 0
    var migrateAt: Timestamp?
    var confirmedAt: Timestamp?
    var progress = HostProgress()

    init(id: HostID, wave: Int, domain: Int, place: Int, connected: Bool, at: Timestamp) {
        self.id = id
        self.wave = wave
        self.domain = domain
        self.place = place
        self.connected = connected
        since = at
        lostAt = connected ? nil : at
    }

    /// Not serving, or not known to serve. Counts against `max_unavailable`.
    var isUnavailable: Bool {
        switch state {
        case .migrating, .verifying, .rollingBack, .rollbackFailed, .unreachable: true
        case .failed, .timedOut: (touched && !kept) || (everTouched && !connected)
        case .pending, .preparing, .validating, .ready, .soaking, .committed, .rolledBack,
            .skipped, .late:
            everTouched && !connected
        }
    }

    /// Unavailable for no other reason than that it is not connected: as far as anybody knows it
    /// serves, and an order takes its service down as soon as it returns.
    var isOnlyAway: Bool {
        guard !connected else { return false }
        return switch state {
        case .soaking, .committed: true
        case .failed, .timedOut, .unreachable: kept
        case .pending, .preparing, .validating, .ready, .migrating, .verifying, .rollingBack,
            .rolledBack, .rollbackFailed, .skipped, .late:
            false
        }
    }

    /// True while its wave must wait for it.
    var isUnsettled: Bool {
        switch state {
        case .pending, .preparing, .validating, .ready, .migrating, .verifying, .rollingBack: true
        case .failed, .timedOut: open?.verb == .rollback
        case .soaking, .committed, .unreachable, .rolledBack, .rollbackFailed, .skipped, .late:
            false
        }
    }

    /// True if it may still be confirmed.
    var isToGo: Bool {
        switch state {
        case .pending, .preparing, .validating, .ready, .migrating, .verifying: true
        case .soaking, .committed, .failed, .unreachable, .timedOut, .rollingBack, .rolledBack,
            .rollbackFailed, .skipped, .late:
            false
        }
    }

    /// True if the wave can rest its verdict on it.
    var isThrough: Bool { state == .soaking || state == .committed }

    /// True if being disconnected for long makes it count as unreachable.
    var isTimedWhileLost: Bool {
        switch state {
        case .pending, .preparing, .validating, .ready, .migrating, .verifying, .soaking: true
        case .committed, .failed, .unreachable, .timedOut, .rollingBack, .rolledBack,
            .rollbackFailed, .skipped, .late:
            false
        }
    }

    /// True if `retry` can take it in again.
    var canRetry: Bool {
        switch state {
        case .failed, .timedOut, .unreachable, .rolledBack:
            !touched && open?.verb != .rollback && !undo
        case .pending, .preparing, .validating, .ready, .migrating, .verifying, .soaking,
            .committed, .rollingBack, .rollbackFailed, .skipped, .late:
            false
        }
    }
}

/// An order as it was given; what is needed to give it again word for word.
struct GivenOrder: Codable, Sendable, Hashable {
    var verb: OrderVerb
    var scope: RollbackScope?
    var point: PointID?
    /// True if it is meant to go back across the point of no return.
    var across: Bool?
    /// True if nobody ordered it: the host takes itself back, and the order only stands in case it
    /// does not.
    var unasked: Bool?
    var why: String
}

/// Why a host refuses its order for now, and when it is asked again.
struct PassingRefusal: Codable, Sendable, Hashable {
    var againAt: Timestamp
    var why: String
}

/// What a host told of its work.
struct HostProgress: Codable, Sendable, Hashable {
    var stage: Stage?
    var phase: String?
    var step: String?
    var stepsDone = 0
    var changed = false
    var point: PointID?
    var failure: String?
    var restoreTook: Milliseconds?
}
