package import FleetWire

/// What a restore needs of services; the agent carries it out by systemd or by commands.
package protocol ServiceControlling: Sendable {
    /// True if the service runs. Throws if that cannot be told.
    func isActive(_ control: ServiceControl) throws -> Bool
    /// Starts it and returns once it was started; starting a running service does nothing.
    func start(_ control: ServiceControl) throws
    /// Stops it and returns once it has stopped; stopping a stopped service does nothing.
    func stop(_ control: ServiceControl) throws
}
