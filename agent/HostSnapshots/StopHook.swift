/// Who orders a capture may stop it: asked for each entry that is walked, each block that is read
/// or stored, and all the time while a driver's program runs, which is then ended.
struct StopHook: Sendable {
    var isStopped: @Sendable () -> Bool = { false }

    /// Throws if the capture is to stop here; what it stored so far is removed again.
    func check() throws {
        guard isStopped() else { return }
        throw Self.error
    }

    /// What a capture that was stopped throws.
    static var error: PointError {
        PointError("capture", "the point", "it was stopped", "take it again")
    }
}
