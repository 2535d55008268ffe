import FleetWire

@testable import RolloutCore

/// One way in which an event moves a rollout or a host from one state to another. A host is looked
/// at before and after the whole event; states that it only passes through within it do not count.
struct Transition: Hashable, Comparable {
    enum Subject: Int, Comparable {
        case rollout, host
        static func < (one: Subject, other: Subject) -> Bool { one.rawValue < other.rawValue }
    }
    var subject: Subject
    var from: String
    var event: String
    var to: String

    var text: String { "\(from) → \(to) on \(event)" }

    static func < (one: Transition, other: Transition) -> Bool {
        (one.subject, one.order(one.from), one.order(one.to), one.event)
            < (other.subject, other.order(other.from), other.order(other.to), other.event)
    }

    /// States stand in the order in which the code lists them.
    private func order(_ state: String) -> Int {
        switch subject {
        case .rollout: RolloutState.allCases.firstIndex { $0.rawValue == state } ?? -1
        case .host: HostState.allCases.firstIndex { $0.rawValue == state } ?? -1
        }
    }

    /// What an event moved.
    static func made(
        by event: RolloutEvent, _ before: RolloutMachine, _ after: RolloutMachine
    ) -> Set<Transition> {
        guard before.definition != nil else {
            return [
                Transition(
                    subject: .rollout, from: "(none)", event: event.title, to: after.state.rawValue)
            ]
        }
        var found: Set<Transition> = []
        if before.state != after.state {
            found.insert(
                Transition(
                    subject: .rollout, from: before.state.rawValue, event: event.title,
                    to: after.state.rawValue))
        }
        for (old, new) in zip(before.hosts, after.hosts) where old.state != new.state {
            let isOfAnother = event.host.map { $0 != old.id } ?? false
            found.insert(
                Transition(
                    subject: .host, from: old.state.rawValue,
                    event: isOfAnother ? "an event of another host" : event.title,
                    to: new.state.rawValue))
        }
        return found
    }
}

extension RolloutEvent {
    /// The host that it comes from; nil if it is no host's.
    var host: HostID? {
        switch self {
        case .reported(let host, _, _), .refused(let host, _, _, _, _), .replaced(let host, _),
            .compared(let host, _, _), .connected(let host, _, _), .disconnected(let host, _):
            host
        case .created, .command, .gateChecked, .gateProbed, .calendarRead, .admitted, .recovered,
            .ticked:
            nil
        }
    }

    /// What it is in the table.
    var title: String {
        switch self {
        case .created: "created"
        case .command(let command, _, _, _): "command `\(command.name)`"
        case .reported(_, let report, _): "report `\(report.kind.rawValue)`"
        case .refused(_, let verb, _, let refusal, _):
            refusal.code == "past_return"
                ? "refusal `past_return`" : "refusal of `\(verb.rawValue)`"
        case .gateChecked, .gateProbed: "gate answered"
        case .calendarRead: "calendar read"
        case .admitted: "admitted"
        case .replaced: "replaced"
        case .compared: "compared"
        case .connected: "connected"
        case .disconnected: "disconnected"
        case .recovered: "coordinator restarted"
        case .ticked: "time passed"
        }
    }
}
