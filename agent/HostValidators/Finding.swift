import FleetWire

/// What one look at the host gave.
struct Finding: Sendable {
    var status: CheckStatus
    var measured: String
    var remedy: String

    static func pass(_ measured: String) -> Finding {
        Finding(status: .pass, measured: measured, remedy: "")
    }

    static func fail(_ measured: String, _ remedy: String) -> Finding {
        Finding(status: .fail, measured: measured, remedy: remedy)
    }

    static func unknown(_ measured: String, _ remedy: String) -> Finding {
        Finding(status: .unknown, measured: measured, remedy: remedy)
    }

    static func late(_ timeout: Milliseconds) -> Finding {
        .unknown(
            "no answer within \(timeout.text)",
            "look why it hangs, or raise the check's timeout")
    }
}
