package import FleetWire

/// The port behind which the coordinator keeps all that must survive it: one hash-chained journal,
/// checkpoints of machines, and the generation.
///
/// All implementations hold to one conformance suite (`Tests/StateStoreTests`).
package protocol StateStore: Sendable {
    /// Appends `records` as one batch if the journal's last sequence number is `expected`.
    /// On return they are durable, all of them; after a throw none of them is there.
    /// Throws `StoreError.conflict`, or the store's own error.
    func append(_ records: [NewRecord], expecting expected: UInt64) async throws -> [JournalRecord]
    /// The sequence number of the last record; 0 for an empty journal.
    func lastSequence() async throws -> UInt64
    /// Up to `limit` records after `sequence`, of one stream or of all, in order.
    func records(
        after sequence: UInt64, stream: String?, limit: Int
    ) async throws -> [JournalRecord]
    /// The streams of the journal, in the order in which they began.
    func streams() async throws -> [String]
    /// Keeps a machine's state as of `sequence`, replacing an older one; durable on return.
    func save(_ checkpoint: Checkpoint) async throws
    /// The newest checkpoint of a stream. Throws `StoreError.changedCheckpoint` for one that is not
    /// what was saved; the journal alone gives the same state.
    func checkpoint(of stream: String) async throws -> Checkpoint?
    /// Raises the generation durably, by one or to `least` if that is more, and gives the new one.
    func raiseGeneration(atLeast least: Generation) async throws -> Generation
    /// How many records were ever made durable; kept apart from them, so that a cut is noticed.
    func anchor() async throws -> UInt64
    /// Lets go of everything that the store holds. Afterwards every other call throws, and another
    /// store may be opened at the same place.
    func close() async
}

extension StateStore {
    /// Raises the generation by one.
    package func raiseGeneration() async throws -> Generation {
        try await raiseGeneration(atLeast: Generation(rawValue: 0))
    }

    /// Reads the whole journal and checks its chain, in pages, so that appends can go on between.
    /// Throws `CancellationError` once its task is cancelled.
    package func audit() async throws -> AuditReport {
        var check = ChainCheck()
        // What is appended from here on may be read or not.
        let anchor = try await anchor()
        var after: UInt64 = 0
        while true {
            let page = try await records(after: after, stream: nil, limit: Self.auditPage)
            try Task.checkCancellation()
            guard let last = page.last else { return check.finish(anchor: anchor) }
            for record in page { check.take(record) }
            after = last.sequence
        }
    }

    /// What is missing at the journal's end; nil if it ends where it was written to. Costs the same
    /// however long the journal is.
    package func missingEnd() async throws -> AuditReport.Break? {
        let (last, anchor) = (try await lastSequence(), try await anchor())
        return last < anchor ? .cutOff(after: last, of: anchor) : nil
    }

    /// Records of one page: a few milliseconds in which an append waits.
    private static var auditPage: Int { 500 }
}

/// A machine's state at one moment, so that replay need not begin at the beginning.
package struct Checkpoint: Sendable, Hashable {
    /// The stream whose machine it is.
    package var stream: String
    /// The last record that it includes.
    package var sequence: UInt64
    /// The state as JSON.
    package var state: [UInt8]
    /// A checkpoint of these fields.
    package init(stream: String, sequence: UInt64, state: [UInt8]) {
        self.stream = stream
        self.sequence = sequence
        self.state = state
    }
}

extension Checkpoint {
    /// Binds the state to the stream and to the journal up to `sequence`, 64 hexadecimal digits:
    /// SHA-256 over stream, sequence, `hash` (of the record `sequence`; empty without one) and
    /// state, each as an 8-byte big-endian length and its bytes.
    func digest(after hash: String?) -> String {
        FieldHash.hex([stream, String(sequence), hash ?? ""].map { Array($0.utf8) } + [state])
    }
}

/// Why a store refused.
package enum StoreError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Somebody else appended; read what is new and decide again.
    case conflict(expected: UInt64, actual: UInt64)
    /// Another process holds the store.
    case locked(path: String, process: String)
    /// Others may read or write what must be private.
    case tooOpen(path: String, mode: String, remedy: String)
    /// A checkpoint is not the one that was saved, or has no digest that could tell.
    case changedCheckpoint(stream: String, isUnsigned: Bool)
    /// The store's files cannot be used.
    case unusable(String)
    /// `close` was called.
    case closed

    /// One sentence with what to do.
    package var description: String {
        switch self {
        case .conflict(let expected, let actual):
            "the journal ends at \(actual), not at \(expected); read it again"
        case .locked(let path, let process):
            "\(path) is held by process \(process); stop that coordinator first"
        case .tooOpen(let path, let mode, let remedy):
            "\(path) has mode \(mode) and others may read it; run: \(remedy)"
        case .changedCheckpoint(let stream, let isUnsigned):
            isUnsigned
                ? "the checkpoint of \(stream) has no digest; an older version wrote it"
                : "the checkpoint of \(stream) does not match its digest: it, or the journal "
                    + "before it, was changed or damaged; run: belay audit verify"
        case .unusable(let why): why
        case .closed: "the store was closed"
        }
    }
}
