import AgentCore
package import FleetWire
import HostSnapshots

/// What an operator on the host asks, over `control.sock` or of the state itself: one line of JSON.
package struct ControlRequest: Codable, Sendable, Hashable {
    /// The things that can be asked.
    package enum Command: String, Codable, Sendable, Hashable {
        case status, validate, point, rollback
        /// Ends what was asked on this connection at the next safe place; its answer still comes.
        case cancel
    }
    /// What to do.
    package var command: Command
    /// With validate: the checks; nil takes the verification checks of the open transaction.
    package var checks: [CheckSpec]?
    /// With point: what to do. Create without components takes those of the newest rollout.
    package var point: PointRequest?
    /// With rollback: which rollout; nil is the newest that changed the host.
    package var rollout: RolloutID?
    /// With rollback: which part; nil is all.
    package var scope: RollbackScope?
    /// With rollback: to which point; nil is the rollout's own.
    package var to: PointID?
    /// With rollback: true if the host goes back across the point of no return; it needs a reason.
    package var acrossPointOfNoReturn: Bool?
    /// With rollback: why.
    package var reason: String?
    /// A request of this command.
    package init(_ command: Command) { self.command = command }

    /// True if carrying it out changes the host or its store.
    var changes: Bool {
        switch command {
        case .status, .validate, .cancel: false
        case .rollback: true
        case .point: point?.mutates ?? false
        }
    }
}

/// One line of the agent's answer: any number of updates, then one reply.
package struct ControlLine: Codable, Sendable, Hashable {
    /// How far it is.
    package var progress: ControlProgress?
    /// With show: the next entries.
    package var entries: [String]?
    /// With diff and a dry run: the next differences.
    package var changes: [HostChange]?
    /// With verify: what else is damaged.
    package var damaged: [String]?
    /// The last line.
    package var reply: ControlReply?
    /// A line without content.
    package init() {}
    /// A line of this progress.
    package init(_ progress: ControlProgress) { self.progress = progress }
    /// The last line.
    package init(_ reply: ControlReply) { self.reply = reply }
}

/// How far an operation on points is.
package struct ControlProgress: Codable, Sendable, Hashable {
    /// `capturing`, `checking`, `restoring`, `verifying` or `scrubbing`.
    package var phase: String
    /// The component; nil for what concerns the whole store.
    package var component: ComponentName?
    /// Entries so far in this phase.
    package var entries: Int
    /// Of how many, where that is known.
    package var entriesTotal: Int?
    /// Bytes so far in this phase.
    package var bytes: ByteCount
    /// Of how many, where that is known.
    package var bytesTotal: ByteCount?
    /// A progress of these fields.
    package init(
        phase: String, component: ComponentName?, entries: Int, entriesTotal: Int?,
        bytes: ByteCount, bytesTotal: ByteCount?
    ) {
        self.phase = phase
        self.component = component
        self.entries = entries
        self.entriesTotal = entriesTotal
        self.bytes = bytes
        self.bytesTotal = bytesTotal
    }

    init(_ progress: PointProgress) {
        self.init(
            phase: progress.phase.rawValue, component: progress.component,
            entries: progress.entries, entriesTotal: progress.entriesTotal, bytes: progress.bytes,
            bytesTotal: progress.bytesTotal)
    }
}

/// The answer to a `ControlRequest`.
package struct ControlReply: Codable, Sendable, Hashable {
    /// Why it was not done.
    package var refusal: Refusal?
    /// With status.
    package var status: AgentStatus?
    /// With validate.
    package var results: [CheckResult]?
    /// With validate: the checks that were asked.
    package var asked: [CheckSpec]?
    /// With point; lists that were streamed before are empty here.
    package var points: PointReply?
    /// With rollback: how the transaction stands after it.
    package var outcome: String?
    /// An answer without content.
    package init() {}
}

/// How the agent stands.
package struct AgentStatus: Codable, Sendable, Hashable {
    /// One remembered transaction.
    package struct Transaction: Codable, Sendable, Hashable {
        /// The rollout.
        package var rollout: RolloutID
        /// The attempt within it.
        package var attempt: Int
        /// Where it stands.
        package var phase: String
        /// Its rollback point.
        package var point: PointID?
        /// The first step that cannot be taken back, once it began.
        package var pastReturn: String?
        /// Why it is held or could not be rolled back.
        package var failure: String?
    }
    /// The newest restore that belongs to no rollout.
    package struct Restore: Codable, Sendable, Hashable {
        /// The point.
        package var point: PointID
        /// The state before.
        package var before: PointID?
        /// `saving`, `restoring`, `done`, `refused` or `half restored`.
        package var phase: String
        /// Why it was refused or stopped half way.
        package var reason: String?
    }
    /// The host.
    package var host: HostID
    /// The coordinator's address.
    package var coordinator: String
    /// True while a session stands; false when no agent runs.
    package var isConnected: Bool
    /// The highest term that was seen.
    package var generation: Generation
    /// Reports that wait for acknowledgement.
    package var unacknowledged: Int
    /// True while a guard watches.
    package var isGuarded: Bool
    /// Newest last.
    package var transactions: [Transaction]
    /// The newest restore outside rollouts.
    package var restore: Restore?
    /// What is wrong with the host itself.
    package var troubles: [HostTrouble]
    /// When all stored objects were last read back; nil if they never were.
    package var scrubbed: Timestamp?
}

extension AgentStatus.Restore {
    init(_ restore: HostRestore) {
        point = restore.point
        before = restore.before
        switch restore.phase {
        case .saving: phase = "saving"
        case .restoring, .pausing: phase = "restoring"
        case .done: phase = "done"
        case .refused(let why): (phase, reason) = ("refused", why)
        case .failed(let why): (phase, reason) = ("half restored", why)
        }
    }
}
