import FleetWire
import Logging

/// What hosts say is wrong with themselves, such as a damaged rollback point: each trouble stands in
/// the journal once when it comes and once when it goes.
extension Coordinator {
    /// What makes two troubles the same one.
    struct TroubleKey: Hashable, Comparable, Sendable {
        let kind: String
        let subject: String

        init(kind: String, subject: String) {
            self.kind = kind
            self.subject = subject
        }

        init(_ trouble: HostTrouble) { self.init(kind: trouble.kind, subject: trouble.subject) }

        static func < (left: TroubleKey, right: TroubleKey) -> Bool {
            (left.kind, left.subject) < (right.kind, right.subject)
        }
    }

    /// Compares what a heartbeat carries with what is known; all that is not there any more is over.
    func notice(_ troubles: [HostTrouble], of host: HostID) {
        let told = Dictionary(
            troubles.prefix(CoordinatorLimits.troublesMax).map(Self.fitting).map {
                (TroubleKey($0), $0)
            }, uniquingKeysWith: { first, _ in first })
        let known =
            noticed[host]
            ?? Set(
                (registry.troubles[host] ?? []).filter { $0.kind != Self.rivalTrouble }.map(
                    TroubleKey.init))
        for key in Set(told.keys).symmetricDifference(known).sorted() {
            // What cannot be taken now is looked at again with the next heartbeat.
            guard troubleAllowance[host, default: Allowance()].take(.troubles, 1, now: clock())
            else {
                return
            }
            noticed[host, default: known].formSymmetricDifference([key])
            record(told[key], key, of: host)
        }
    }

    private func record(_ trouble: HostTrouble?, _ key: TroubleKey, of host: HostID) {
        let event: FleetEvent
        if let trouble {
            event = .troubleFound(host: host, trouble: trouble)
            logger.warning(
                "a host has trouble",
                metadata: [
                    "host": "\(host)", "kind": "\(key.kind)", "subject": "\(key.subject)",
                    "reason": "\(PlainText.line(trouble.text))",
                ])
        } else {
            event = .troubleEnded(host: host, kind: key.kind, subject: key.subject)
            logger.notice(
                "a host's trouble is over",
                metadata: [
                    "host": "\(host)", "kind": "\(key.kind)", "subject": "\(key.subject)",
                ])
        }
        enqueue(.fleet(event), actor: "host:\(host)", done: nil)
    }

    /// The trouble with texts that fit the journal; its kind stands in metrics, so it is one word.
    private static func fitting(_ trouble: HostTrouble) -> HostTrouble {
        let isWord =
            !trouble.kind.isEmpty && trouble.kind.utf8.count <= 64
            && trouble.kind.utf8.allSatisfy {
                $0 == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
            }
        return HostTrouble(
            kind: isWord ? trouble.kind : "other",
            subject: PlainText.line(trouble.subject.cut(toJSONBytes: 256)),
            text: trouble.text.cut(toJSONBytes: 1024), since: trouble.since)
    }
}
