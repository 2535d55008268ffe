import FleetWire
import Synchronization

/// The registry where event loops and the API can read it without waiting for the coordinator;
/// only the coordinator writes.
final class FleetDirectory: Sendable {
    private let kept = Mutex(FleetRegistry())

    var snapshot: FleetRegistry { kept.withLock { $0 } }

    /// Becomes what a checkpoint kept.
    func take(_ registry: FleetRegistry) { kept.withLock { $0 = registry } }

    func apply(_ event: FleetEvent) { kept.withLock { $0.apply(event) } }

    func refusal(host: HostID, serial: String) -> String? {
        kept.withLock { $0.refusal(host: host, serial: serial) }
    }
}
