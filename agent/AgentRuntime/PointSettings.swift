package import FleetWire
import HostProcesses
package import HostSnapshots
import HostSteps

/// The settings of the points' store, read and written by operators on the host. The store makes of
/// them what it is told at each of its operations, so that no agent needs a restart.
package struct PointSettings {
    private let state: StateDirectory

    /// The settings of the store of this state.
    package init(_ state: StateDirectory) { self.state = state }

    private func store() throws -> PointStore {
        try state.requirePrivate()
        try state.make()
        return try PointStore(
            directory: state.file("points"), root: state.rootDirectory,
            services: HostServices(
                context: .init(
                    root: state.root, host: HostID(unchecked: "here"), labels: [:], facts: [:],
                    variables: [:])))
    }

    /// As they are now. Throws `AgentError` or `PointError`.
    package func read() throws -> StoreSettings { try store().settings() }

    /// Makes them durable. Throws `PointError`, and changes nothing, if a key file cannot be used.
    package func write(_ settings: StoreSettings) throws { try store().set(settings) }
}

/// The settings as programs read them.
package struct PointPolicy: Codable, Sendable, Hashable {
    /// Who says which points a prune keeps.
    package enum Origin: String, Codable, Sendable, Hashable {
        /// Nobody set it: a point goes only if it has no name and `retention` objects to it twice,
        /// by its age and by the count of newer points of the same components.
        case standard = "default"
        /// An operator: a point goes once any limit says so.
        case settings
    }

    /// Which points a prune keeps.
    package var retention: PointRetention
    /// Who says so.
    package var retentionOrigin: Origin
    /// The file of the key that new points are sealed with.
    package var keyFile: String?
    /// How often all objects are read back.
    package var scrubEvery: Milliseconds

    /// What these settings come to.
    package init(_ settings: StoreSettings) {
        retention =
            settings.retention
            ?? PointRetention(count: DefaultRetention.count, age: DefaultRetention.age)
        retentionOrigin = settings.retention == nil ? .standard : .settings
        keyFile = settings.keyFile
        scrubEvery = settings.scrubEvery ?? Agent.scrubEvery
    }
}
