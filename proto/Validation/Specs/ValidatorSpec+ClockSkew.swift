import FleetWire

extension ValidatorSpec {
    /// How far the clock is off.
    package static let clockSkew = ValidatorSpec(
        id: "clock_skew", category: .system, summary: "The host's clock is right.",
        parameters: [
            .optional(
                "server", .text, "A server of NTP to compare with; without one the kernel is asked."
            ),
            .optional("port", .port, standard: .whole(123), "Its port."),
            .optional(
                "skew_warn", .duration(atLeast: 1), standard: .whole(100), threshold: .warn,
                "It warns if the clock is off by more."),
            .optional(
                "skew_max", .duration(atLeast: 1), standard: .whole(1000), threshold: .fail,
                "It fails if the clock is off by more."),
        ],
        rules: [.ascending("skew_warn", "skew_max")],
        notes:
            "A server is asked once (SNTP, RFC 4330); half of the time that this took is added to "
            + "the difference. The kernel's own bound is what it has of a daemon that disciplines "
            + "the clock (adjtimex(2)). Unknown if no daemon does, or the server does not answer, "
            + "or is not synchronized itself.")
}
