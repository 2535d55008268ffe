package import FleetWire

/// What a prune keeps where the operator set nothing: a point goes only if it has no name, is older
/// than `age`, and `count` newer good points hold the same components; the format's section "Prune".
package enum DefaultRetention {
    /// Good points of the same components that stay, however old.
    package static let count = 10
    /// Nothing younger goes.
    package static let age = Milliseconds.seconds(30 * 86_400)

    /// True if none of `points` can go, which is known without reading what they hold.
    package static func keepsAll(_ points: [PointSummary], now: Timestamp) -> Bool {
        points.count <= count
            || !points.contains { $0.name == nil && now.since($0.at) > age }
    }
}
