/// What a later scene needs of an earlier one.
struct SceneMemory: Sendable {
    /// The hosts as they were with release 1.
    var original: [String: HostTree] = [:]
    /// The checksums of the datasets, by name.
    var checksums: [String: String] = [:]
    /// The digest that `belay plan` gave for release 2.
    var digest: String?
    /// The rollout of release 2.
    var rollout: String?
}
