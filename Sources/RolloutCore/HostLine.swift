/// Hosts that wait for a place, the first first. One whose failure domain is full steps aside
/// until there is room again, so that no event costs a walk over the fleet.
struct HostLine: Codable, Hashable, Sendable {
    /// What the hosts of a line wait for.
    enum Kind: Int, CaseIterable, Sendable {
        /// To migrate, in the order of waves.
        case forward
        /// To be taken back though they serve; newest first, like all that follow.
        case back
        /// To be taken back though they are away, and serve as far as anybody knows.
        case backAway
        /// To be taken back; they do not serve, so it costs nothing.
        case backDown
    }

    /// Which lines hold a host.
    struct Kinds: OptionSet, Codable, Hashable, Sendable {
        let rawValue: UInt8
        init(rawValue: UInt8) { self.rawValue = rawValue }
        init(_ kind: Kind) { rawValue = 1 << UInt8(kind.rawValue) }
    }

    struct Place: Codable, Comparable, Hashable, Sendable {
        var rank: Int
        var host: Int
        static func < (one: Place, other: Place) -> Bool {
            (one.rank, one.host) < (other.rank, other.host)
        }
    }

    private var ahead = MinHeap<Place>()
    private var aside: [MinHeap<Place>]

    init(domains: Int) { aside = Array(repeating: MinHeap(), count: domains) }

    var first: Place? { ahead.first }

    mutating func insert(_ place: Place) { ahead.insert(place) }

    mutating func removeFirst() { ahead.removeFirst() }

    /// The first waits until its domain has room.
    mutating func stepAside(domain: Int) {
        guard let place = ahead.first else { return }
        ahead.removeFirst()
        aside[domain].insert(place)
    }

    /// The first of those who stepped aside is back in the line.
    mutating func recall(domain: Int) {
        guard let place = aside[domain].first else { return }
        aside[domain].removeFirst()
        ahead.insert(place)
    }

    func hasAside(domain: Int) -> Bool { aside[domain].first != nil }

    /// All who stepped aside are back in the line.
    mutating func recallAll() {
        for domain in aside.indices {
            while aside[domain].first != nil { recall(domain: domain) }
        }
    }
}
