import FleetWire

extension ValidatorSpec {
    /// A name of the Domain Name System.
    package static let dns = ValidatorSpec(
        id: "dns", category: .network, summary: "A name resolves, to the addresses that it should.",
        parameters: [
            .required("name", .text, "The name."),
            .optional("addresses", .list(.text), "Addresses that the answer must hold."),
            .optional(
                "exact", .boolean, standard: .flag(false),
                "Whether other addresses fail rather than warn."),
            .optional(
                "latency_warn", .duration(atLeast: 1), standard: .whole(1000), threshold: .warn,
                "It warns if the answer takes longer."),
            .optional(
                "latency_max", .duration(atLeast: 1), threshold: .fail,
                "It fails if the answer takes longer."),
        ],
        rules: [.ascending("latency_warn", "latency_max")],
        notes:
            "Asks as every program of the host does (getaddrinfo(3)): /etc/hosts too. A name that "
            + "does not exist fails; a resolver that does not answer is unknown.")
}
