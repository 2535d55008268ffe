import FleetWire

extension ValidatorSpec {
    /// A plugin of Nagios.
    package static let nagios = ValidatorSpec(
        id: "nagios", category: .custom,
        summary: "A plugin of Nagios, or of anything that uses its plugins, says OK.",
        parameters: [
            .required(
                "argv", .list(.text), "The plugin and its arguments, below no root: its real path."),
            .optional("env", .map(.text, of: "names to values"), "Variables for it."),
        ],
        notes: "Exit 0 passes, 1 warns, 2 fails; 3, any other exit and a signal are unknown. The "
            + "performance data behind `|` become metrics with their thresholds "
            + "(Monitoring Plugins Development Guidelines).")
}
