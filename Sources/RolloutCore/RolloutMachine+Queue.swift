extension RolloutMachine {
    /// True while it waits to be `admitted`.
    package var isQueued: Bool { state == .planned && definition?.isQueued == true }
}
