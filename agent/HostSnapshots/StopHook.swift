/// Who orders a capture may stop it: asked for each entry that is walked and each block that is read
/// or stored.
struct StopHook: Sendable {
    var isStopped: @Sendable () -> Bool = { false }

    /// Throws if the capture is to stop here; what it stored so far is removed again.
    func check() throws {
        guard isStopped() else { return }
        throw PointError("capture", "the point", "it was stopped", "take it again")
    }
}
