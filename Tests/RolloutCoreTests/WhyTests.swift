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
