package import FleetWire
import Crypto

/// What is to be appended to the journal.
package struct NewRecord: Sendable, Hashable {
    /// When, by the coordinator's clock.
    package var at: Timestamp
    /// Who: `operator:<name>`, `host:<id>` or `coordinator`.
    package var actor: String
    /// What it belongs to: `fleet`, or a rollout's id.
    package var stream: String
    /// The kind of event, for readers that do not decode the payload.
    package var kind: String
    /// The event as JSON.
    package var payload: [UInt8]
    /// A record of these fields.
    package init(
        at: Timestamp, actor: String, stream: String, kind: String, payload: [UInt8]
    ) {
        self.at = at
        self.actor = actor
        self.stream = stream
        self.kind = kind
        self.payload = payload
    }
}

/// One record of the journal; its hash covers all its fields and the hash before it
/// (docs/reference/journal-format.md).
package struct JournalRecord: Sendable, Hashable {
    /// Counts all records from 1 without gaps.
    package let sequence: UInt64
    /// What was appended.
    package let content: NewRecord
    /// The hash of the record before; 64 zeros for the first.
    package let previous: String
    /// The hash of this record, 64 hexadecimal digits.
    package let hash: String

    /// The hash before the first record.
    package static let origin = String(repeating: "0", count: 64)

    init(sequence: UInt64, content: NewRecord, previous: String, hash: String) {
        self.sequence = sequence
        self.content = content
        self.previous = previous
        self.hash = hash
    }

    /// The record that follows `previous`.
    package init(sequence: UInt64, content: NewRecord, previous: String) {
        self.init(
            sequence: sequence, content: content, previous: previous,
            hash: Self.hash(sequence: sequence, content: content, previous: previous))
    }

    /// True if the hash is the one that the fields give.
    package var isIntact: Bool {
        hash == Self.hash(sequence: sequence, content: content, previous: previous)
    }

    /// SHA-256 over each field as an 8-byte big-endian length and its bytes, in this order:
    /// previous hash, sequence, time, actor, stream, kind (as decimal or UTF-8 text), payload.
    private static func hash(sequence: UInt64, content: NewRecord, previous: String) -> String {
        let texts = [
            previous, String(sequence), String(content.at.milliseconds), content.actor,
            content.stream, content.kind,
        ]
        return FieldHash.hex(texts.map { Array($0.utf8) } + [content.payload])
    }
}

/// SHA-256 over fields, none of which can be taken for a part of another.
enum FieldHash {
    /// Each field as an 8-byte big-endian length and its bytes.
    static func hex(_ fields: [[UInt8]]) -> String {
        var hasher = SHA256()
        for bytes in fields {
            withUnsafeBytes(of: UInt64(bytes.count).bigEndian) { hasher.update(bufferPointer: $0) }
            hasher.update(data: bytes)
        }
        guard let digest = Digest(bytes: Array(hasher.finalize())) else {
            preconditionFailure("SHA-256 gives 32 bytes")
        }
        return digest.hex
    }
}

/// What a check of the whole journal found.
package struct AuditReport: Sendable, Hashable, Codable {
    /// Records that were read.
    package var records: UInt64
    /// The hash of the last one.
    package var head: String
    /// The first record that is wrong and why; nil if the chain is unbroken.
    package var broken: Break?
    /// Where the chain breaks.
    package struct Break: Sendable, Hashable, Codable {
        /// The sequence number at which it shows.
        package var sequence: UInt64
        /// What is wrong, in words.
        package var reason: String

        static func cutOff(after last: UInt64, of written: UInt64) -> Break {
            Break(
                sequence: last + 1,
                reason: "the journal was cut off, \(written) records were written")
        }
    }
}

/// Checks a chain record by record.
struct ChainCheck {
    private(set) var report = AuditReport(records: 0, head: JournalRecord.origin, broken: nil)

    mutating func take(_ record: JournalRecord) {
        guard report.broken == nil else { return }
        let expected = report.records + 1
        if record.sequence != expected {
            stop(expected, "record \(expected) is missing, \(record.sequence) follows")
        } else if record.previous != report.head {
            stop(expected, "it does not follow the record before it")
        } else if !record.isIntact {
            stop(expected, "its content was changed after it was written")
        } else {
            report.records = expected
            report.head = record.hash
        }
    }

    mutating func finish(anchor: UInt64) -> AuditReport {
        if report.broken == nil, report.records < anchor {
            report.broken = .cutOff(after: report.records, of: anchor)
        }
        return report
    }

    private mutating func stop(_ sequence: UInt64, _ reason: String) {
        report.broken = .init(sequence: sequence, reason: reason)
    }
}
