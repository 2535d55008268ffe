package import FleetWire

/// How a rollout moves in time, besides its limits.
package struct RolloutPace: Codable, Sendable, Hashable {
    /// If no host was confirmed for so long while some are to go, the rollout reacts as if its
    /// budget were spent; nil waits without end.
    package var progressDeadline: Milliseconds?
    /// From the end of a host's migration steps to its confirmation; nil leaves it to
    /// `RolloutLimits.migrationDeadline`.
    package var healthyDeadline: Milliseconds?
    /// When hosts may be touched; nil is always.
    package var calendar: WorkCalendar?
    /// True if the canary goes forward, back and is compared with its rollback point first.
    package var rehearses: Bool
    /// A pace of these fields.
    package init(
        progressDeadline: Milliseconds? = nil, healthyDeadline: Milliseconds? = nil,
        calendar: WorkCalendar? = nil, rehearses: Bool = false
    ) {
        self.progressDeadline = progressDeadline
        self.healthyDeadline = healthyDeadline
        self.calendar = calendar
        self.rehearses = rehearses
    }
}

/// Windows in which new hosts may be touched, and freezes in which none may. Hosts that are under
/// way go on, and a rollback never waits for a window.
package struct WorkCalendar: Codable, Sendable, Hashable {
    /// IANA name of the zone in which times of day are meant, such as `Europe/Berlin`.
    package var zone: String
    /// Open while any of them is; empty is always open.
    package var windows: [WeeklyWindow]
    /// Closed while any of them is, whatever the windows say.
    package var freezes: [Freeze]
    /// A calendar of these fields.
    package init(zone: String, windows: [WeeklyWindow], freezes: [Freeze]) {
        self.zone = zone
        self.windows = windows
        self.freezes = freezes
    }

    /// Wall-clock times on days of the week. A time of day that a zone skips opens nothing; one
    /// that it repeats opens once, the first time.
    package struct WeeklyWindow: Codable, Sendable, Hashable {
        /// 1 is Monday, 7 is Sunday; the day on which the window opens.
        package var days: [Int]
        /// Minutes since midnight.
        package var from: Int
        /// Minutes since midnight, 1440 at most; before `from` means on the next day. Never `from`.
        package var to: Int
        /// A window of these fields.
        package init(days: [Int], from: Int, to: Int) {
            self.days = days
            self.from = from
            self.to = to
        }
    }

    /// A span of wall-clock time.
    package struct Freeze: Codable, Sendable, Hashable {
        /// Unique in the calendar.
        package var name: String
        /// `2026-12-20T00:00`, in the calendar's zone.
        package var from: String
        /// The end, not part of it; of a time that clocks show twice the second.
        package var to: String
        /// A freeze of these fields.
        package init(name: String, from: String, to: String) {
            self.name = name
            self.from = from
            self.to = to
        }
    }
}

/// What the coordinator read from a plan's calendar at one moment.
package struct CalendarReading: Codable, Sendable, Hashable {
    /// True if new hosts may be touched.
    package var isOpen: Bool
    /// When that changes; nil if it never does.
    package var changesAt: Timestamp?
    /// Which window or freeze says so, with zone and local times.
    package var why: String
    /// A reading of these fields.
    package init(isOpen: Bool, changesAt: Timestamp?, why: String) {
        self.isOpen = isOpen
        self.changesAt = changesAt
        self.why = why
    }
}

/// Hosts that are not there, one by one or many at once.
package struct AbsencePolicy: Codable, Sendable, Hashable {
    /// What a host is that was offline when the rollout began.
    package enum Late: String, Codable, Sendable, Hashable, CaseIterable {
        /// It is waited for, as `deadlines.unreachable` allows.
        case wait
        /// It is left out, counts nowhere, and the rollout succeeds without it.
        case skip
        /// It counts against the budget at once.
        case fail
    }
    /// Hosts that were offline when the rollout began.
    package var late: Late
    /// True if a host that was skipped as late runs the committed version's transaction alone
    /// when it returns.
    package var converges: Bool
    /// More than this share of the connected hosts vanishing at once is a mass loss: 1 to 100.
    package var massLossPercent: Int
    /// Fewer lost hosts are never a mass.
    package var massLossHostsMin: Int
    /// A policy of these fields.
    package init(
        late: Late = .wait, converges: Bool = false, massLossPercent: Int = 30,
        massLossHostsMin: Int = 3
    ) {
        self.late = late
        self.converges = converges
        self.massLossPercent = massLossPercent
        self.massLossHostsMin = massLossHostsMin
    }
}

/// More and more hosts of a wave at once: `from` first, and `factor` times as many whenever all
/// that were allowed so far are through. `max_parallel` and `max_unavailable` still hold.
package struct WaveGrowth: Codable, Sendable, Hashable {
    /// Hosts at once at first; 1 or more.
    package var from: Int
    /// 2 or more.
    package var factor: Int
    /// Growth of these fields.
    package init(from: Int, factor: Int) {
        self.from = from
        self.factor = factor
    }
}

/// How far a rollout can be taken back.
package struct ReturnPolicy: Codable, Sendable, Hashable {
    /// Who opens the gate before the first host runs an irreversible step; nil if the plan has none.
    package var pointOfNoReturn: ApprovalRule?
    /// By component's name: the components whose new state works with its old state. A rollback of a part
    /// is taken only if every restored component is compatible with every one that stays new.
    package var compatibleWith: [String: [ComponentName]]
    /// How long the digests of a plan that was rolled back stay in quarantine; nil is for good.
    package var quarantineFor: Milliseconds?
    /// A policy of these fields.
    package init(
        pointOfNoReturn: ApprovalRule? = nil, compatibleWith: [String: [ComponentName]] = [:],
        quarantineFor: Milliseconds? = nil
    ) {
        self.pointOfNoReturn = pointOfNoReturn
        self.compatibleWith = compatibleWith
        self.quarantineFor = quarantineFor
    }
}
