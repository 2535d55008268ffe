package import FleetWire

extension PointStore {
    /// The components of a point, as they were declared when it was taken. Throws `PointError` if
    /// the point is missing or its manifest is damaged.
    package func components(of id: PointID) throws -> [ComponentSpec] {
        try manifest(id).0.components.map(\.spec)
    }
}
