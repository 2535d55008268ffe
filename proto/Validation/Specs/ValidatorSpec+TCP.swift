import FleetWire

extension ValidatorSpec {
    /// A connection by TCP.
    package static let tcp = ValidatorSpec(
        id: "tcp", category: .network, summary: "A connection by TCP is accepted.",
        parameters: [
            .required("host", .text, "Name or address."),
            .required("port", .port, "The port."),
            .optional(
                "latency_warn", .duration(atLeast: 1), standard: .whole(1000), threshold: .warn,
                "It warns if connecting takes longer."),
            .optional(
                "latency_max", .duration(atLeast: 1), threshold: .fail,
                "It fails if connecting takes longer."),
        ],
        rules: [.ascending("latency_warn", "latency_max")],
        notes: "A refused connection fails; a name that cannot be looked up, or no answer within "
            + "the check's timeout, is unknown.")
}
