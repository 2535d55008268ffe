package import FleetWire

/// Chooses hosts so that the values of some facts and labels are all there, as far as the number
/// allows: the canary should be a picture of the fleet.
package struct WaveCover {
    /// What the first wave covers if its plan says nothing; those that no host has do not count.
    package static let defaultNames = ["kernel", "arch", "role", "zone"]

    /// A fact or label with one of its values; nil is that a host has none.
    private struct Trait: Hashable {
        var name: Int
        var value: String?
    }

    private let names: [String]
    /// By number: the trait, and how many hosts have it.
    private var traits: [(trait: Trait, hosts: Int)] = []
    private var traitsByHost: [HostID: [Int]] = [:]
    private var covered: Set<Int> = []

    /// Covers `names` over `hosts`; a label counts before a fact of the same name.
    package init(_ names: [String], hosts: [FleetHost]) {
        func value(_ name: String, _ host: FleetHost) -> String? {
            host.labels[name] ?? host.facts[name]
        }
        self.names = names.filter { name in hosts.contains { value(name, $0) != nil } }
        var numbers: [Trait: Int] = [:]
        for host in hosts {
            traitsByHost[host.id] = self.names.enumerated().map { index, name in
                let trait = Trait(name: index, value: value(name, host))
                if let number = numbers[trait] {
                    traits[number].hosts += 1
                    return number
                }
                numbers[trait] = traits.count
                traits.append((trait, 1))
                return traits.count - 1
            }
        }
    }

    /// Hosts that are in already; what they have is covered.
    package mutating func take(_ hosts: [HostID]) {
        for host in hosts { covered.formUnion(traitsByHost[host] ?? []) }
    }

    /// Takes `count` of `hosts`: always the host with the most that is not covered yet, the first
    /// of several, and once nothing more is gained the first that are left. Gives them in the
    /// order of `hosts`.
    package mutating func choose(_ count: Int, from hosts: [HostID]) -> [HostID] {
        var chosen: Set<HostID> = []
        // What a host would gain never grows, so one pass for each gain finds the greatest.
        for gain in stride(from: names.count, to: 0, by: -1) {
            for host in hosts where chosen.count < count && !chosen.contains(host) {
                let new = Set(traitsByHost[host] ?? []).subtracting(covered)
                guard new.count >= gain else { continue }
                covered.formUnion(new)
                chosen.insert(host)
            }
        }
        for host in hosts where chosen.count < count { chosen.insert(host) }
        let taken = hosts.filter(chosen.contains)
        take(taken)
        return taken
    }

    /// `arch=arm64 (3 hosts)`, `no role (1 host)`: in order of names, the values by alphabet.
    package var uncovered: [String] {
        let left = traits.enumerated().filter { !covered.contains($0.offset) }.map(\.element)
        let sorted = left.sorted { first, second in
            (first.trait.name, first.trait.value ?? "") < (
                second.trait.name, second.trait.value ?? ""
            )
        }
        let shown = sorted.prefix(PlanLimits.uncoveredMax).map { trait, hosts in
            let count = hosts == 1 ? "1 host" : "\(hosts) hosts"
            return trait.value.map { "\(names[trait.name])=\($0) (\(count))" }
                ?? "no \(names[trait.name]) (\(count))"
        }
        let more = sorted.count - shown.count
        return more > 0 ? shown + ["\(more) more"] : Array(shown)
    }
}
