import FleetWire
import Testing

@testable import RolloutCore

/// `why` after every event of every transcript: of the rollout and of each of its hosts.
@Suite struct WhyTests {
    @Test func `Every state says what it waits for, since when, what follows and when`() throws {
        var states: Set<String> = []
        for story in try Story.all() {
            for moment in story.moments {
                let found = answers(at: moment.machine)
                for (name, state, why) in found {
                    states.insert(state)
                    let faults = faults(of: why, state, moment.machine)
                    let place = "\(story.name) line \(moment.line), \(name)"
                    #expect(faults.isEmpty, "\(place): \(faults) \(why)")
                }
            }
        }
        // Nothing is proved about a state that no transcript reaches.
        let all =
            RolloutState.allCases.map { "rollout \($0.rawValue)" }
            + HostState.allCases.map { "host \($0.rawValue)" }
        #expect(states.isSuperset(of: all), "not reached: \(Set(all).subtracting(states))")
    }

    @Test func `A host says something else under every order`() throws {
        var texts: [String: Set<String>] = [:]
        for story in try Story.all() {
            for moment in story.moments {
                for host in moment.machine.hosts {
                    guard let open = host.open, host.refusal == nil,
                        let why = moment.machine.why(host: host.id, now: moment.machine.now)
                    else { continue }
                    let text = why.waitsFor.split(separator: ":").first.map(String.init) ?? ""
                    texts[text.replacing(host.id.rawValue, with: "it"), default: []]
                        .insert("\(open.verb)")
                }
            }
        }
        #expect(texts.count >= 12, "\(texts.keys.sorted())")
        for (text, orders) in texts { #expect(orders.count == 1, "\(text): \(orders)") }
    }

    /// What stands in the way of the last host: limits, the calendar, or both.
    struct Obstacle: Sendable, CustomTestStringConvertible {
        let name: String
        /// Unavailable at most: in the fleet, in a domain.
        let limits: String
        let calendar: String
        /// What the rollout and the host say, and what they must not say.
        let says: [String]
        let saysNot: [String]
        /// When the rollout moves by itself.
        let next: Milliseconds?
        var testDescription: String { name }
    }

    static let obstacles = [
        Obstacle(
            name: "open, no place in the fleet", limits: "unavailable=1", calendar: "open",
            says: [
                "1 of at most 1 hosts are unavailable (a1)", "as soon as one of those is back;",
            ],
            saysNot: ["window", "calendar"], next: nil),
        Obstacle(
            name: "closed, no place in the fleet", limits: "unavailable=1",
            calendar: "closed for=60s",
            says: [
                "1 of at most 1 hosts are unavailable (a1)",
                "as soon as one of those is back and a window is open", "the calendar: ",
                "and for a place: 1 of at most 1",
            ], saysNot: [], next: nil),
        Obstacle(
            name: "closed, no place in the domain", limits: "unavailable=2 domain=1",
            calendar: "closed for=60s",
            says: ["and a window is open", "and for a place in domain a: 1 of at most 1"],
            saysNot: [], next: nil),
        Obstacle(
            name: "closed, a place is free", limits: "unavailable=2", calendar: "closed for=60s",
            says: ["No further host is touched for now", "waits for the calendar: "],
            saysNot: ["stands still", "a place"], next: .seconds(60)),
    ]

    @Test(arguments: obstacles)
    func `Limits and calendar in the way are both told, and a time only if it helps`(
        _ row: Obstacle
    ) throws {
        var run = TranscriptRun()
        for line in [
            "wave one a1 a2", "set parallel=1 fleet=2 calendar=yes \(row.limits)", "start",
            "settle only=prepare", "settle only=validate", "calendar open",
            "calendar \(row.calendar)",
            "report a1 failed stage=migration failure=exit_1",
            "report a1 rollback_failed failure=disk_full",
        ] { run.run(line) }
        let why = try #require(run.machine.view(now: run.now)).why
        let host = try #require(run.machine.why(host: HostID(unchecked: "a2"), now: run.now))
        let told = [why.waitsFor, why.next, host.waitsFor].joined(separator: "\n")
        for text in row.says { #expect(told.contains(text), "\(text) is missing: \(told)") }
        for text in row.saysNot { #expect(!told.contains(text), "\(text) is wrong: \(told)") }
        #expect(why.nextAt == row.next.map { run.now + $0 })
        #expect(why.hosts == [HostID(unchecked: "a2")])
    }

    private func answers(at machine: RolloutMachine) -> [(String, String, WhyView)] {
        let later = machine.now + .seconds(7)
        var found: [(String, String, WhyView)] = []
        if let view = machine.view(now: later) {
            found.append(("rollout", "rollout \(view.state.rawValue)", view.why))
        }
        for host in machine.hosts {
            guard let why = machine.why(host: host.id, now: later) else { continue }
            found.append((host.id.rawValue, "host \(host.state.rawValue)", why))
        }
        return found
    }

    private func faults(of why: WhyView, _ state: String, _ machine: RolloutMachine) -> [String] {
        var faults: [String] = []
        if why.waitsFor.isEmpty { faults.append("waits for nothing that it can name") }
        if why.next.isEmpty { faults.append("says nothing of what follows") }
        if why.since > machine.now { faults.append("since is to come") }
        if why.since < machine.createdAt { faults.append("since is before the rollout") }
        if let ended = machine.endedAt, state.hasPrefix("rollout"), why.since > ended {
            faults.append("it ended before since")
        }
        if machine.isFinished, !why.next.hasPrefix("nothing by itself") {
            faults.append("it promises something though all is over")
        }
        if let at = why.nextAt, at < why.since { faults.append("at is before since") }
        if why.nextAt == nil, state.hasPrefix("rollout"), let moment = decidingMoment(machine) {
            faults.append("time alone decides at \(moment), and no time is told")
        }
        if "\(why.waitsFor)\(why.next)".contains("Optional(") { faults.append("raw value") }
        return faults
    }

    /// When time alone moves the rollout next, told by its clocks and not by its sentences.
    private func decidingMoment(_ machine: RolloutMachine) -> Timestamp? {
        guard machine.massLoss == nil, machine.state == .running else { return nil }
        guard case .wave(let number) = machine.progress else { return nil }
        return switch machine.waves[number].state {
        case .soaking:
            machine.tally.waves[number].throughAway == 0 ? machine.waves[number].soakUntil : nil
        case .gating: machine.gateMoment(number)
        case .waiting, .migrating, .passed, .failed: nil
        }
    }
}
