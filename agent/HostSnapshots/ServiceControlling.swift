package import FleetWire

/// What a restore needs of services; the agent carries it out by systemd or by commands.
package protocol ServiceControlling: Sendable {
    /// True if the service runs. Throws if that cannot be told.
    func isActive(_ control: ServiceControl) throws -> Bool
    /// Starts it and returns once it was started; starting a running service does nothing.
    func start(_ control: ServiceControl) throws
    /// Stops it and returns once it has stopped; stopping a stopped service does nothing.
    func stop(_ control: ServiceControl) throws

    /// The full name of its systemd unit; nil if commands control it.
    func unit(_ control: ServiceControl) throws -> String?
    /// Whether its unit is started at boot; nil if commands control it.
    func enablement(_ control: ServiceControl) throws -> UnitEnablement?
    /// Makes its unit enabled, disabled, masked or unmasked; others than these cannot be set.
    func enable(_ control: ServiceControl, _ enablement: UnitEnablement) throws
    /// True if unit files changed since the system's manager read them.
    func needsReload(_ control: ServiceControl) throws -> Bool
    /// Lets the system's manager read all unit files again.
    func reload() throws
}

/// Whether a unit is started at boot: systemctl(1), is-enabled.
package struct UnitEnablement: Hashable, Sendable, CustomStringConvertible {
    /// systemd's word.
    package var description: String
    /// The enablement of this word.
    package init(_ word: String) { description = word }

    /// Links start it at boot.
    package static let enabled = UnitEnablement("enabled")
    /// No links start it.
    package static let disabled = UnitEnablement("disabled")
    /// It cannot be started.
    package static let masked = UnitEnablement("masked")
    /// There is no such unit.
    package static let missing = UnitEnablement("not-found")
}

/// Services that commands control have no unit.
extension ServiceControlling {
    /// See the protocol.
    package func unit(_ control: ServiceControl) throws -> String? { nil }
    /// See the protocol.
    package func enablement(_ control: ServiceControl) throws -> UnitEnablement? { nil }
    /// See the protocol.
    package func enable(_ control: ServiceControl, _ enablement: UnitEnablement) throws {}
    /// See the protocol.
    package func needsReload(_ control: ServiceControl) throws -> Bool { false }
    /// See the protocol.
    package func reload() throws {}
}
