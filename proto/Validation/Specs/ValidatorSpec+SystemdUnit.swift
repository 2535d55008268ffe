import FleetWire

extension ValidatorSpec {
    /// The state of a unit of systemd.
    package static let systemdUnit = ValidatorSpec(
        id: "systemd_unit", category: .service,
        summary: "A unit of systemd is active, enabled, and stays up.",
        parameters: [
            .required("unit", .text, "Its name, such as `nginx.service`."),
            .optional(
                "active", .boolean, standard: .flag(true), "Whether it must be active."),
            .optional("enabled", .boolean, "Whether it must start with the machine."),
            .optional(
                "restarts_warn", .integer(0...Int.max), standard: .whole(0), threshold: .warn,
                "It warns if systemd restarted it more often since it was started."),
            .optional(
                "restarts_max", .integer(0...Int.max), threshold: .fail,
                "It fails if systemd restarted it more often."),
        ],
        rules: [.ascending("restarts_warn", "restarts_max")],
        notes: "Asks `systemctl show`; a unit that is just being started or stopped is not active; "
            + "unknown where systemd does not run.")
}
