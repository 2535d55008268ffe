import FleetWire
import Logging
import StateStore

/// How far the fleet's stream was taken.
struct FleetMark: Sendable {
    /// The last record of it.
    private(set) var last: UInt64 = 0
    /// Records since the newest checkpoint.
    private(set) var since = 0

    mutating func take(_ sequence: UInt64) {
        last = sequence
        since += 1
    }

    /// Notes that a checkpoint includes what was taken up to record `sequence`.
    mutating func keep(_ sequence: UInt64) {
        last = max(last, sequence)
        since = 0
    }
}

extension Coordinator {
    /// The content of the fleet's checkpoint: all that `remember` gathers, but for what can be
    /// told from the registry.
    private struct KeptFleet: Codable {
        var registry: FleetRegistry
        var reports: [HostID: ReportCount]
        var enrolledAt: [HostID: UInt64]
        var raisedAt: UInt64
        var lifted: Set<Digest>
    }

    /// Takes the fleet as of its checkpoint. Without one that this version reads, the journal alone is
    /// enough.
    func restoreFleet() async {
        do {
            guard let checkpoint = try await usableCheckpoint(of: "fleet") else { return }
            let kept = try WireJSON.decode(KeptFleet.self, from: checkpoint.state)
            directory.take(kept.registry)
            reports = kept.reports
            enrolledAt = kept.enrolledAt
            raisedAt = kept.raisedAt
            lifted = kept.lifted
            fleetMark.keep(checkpoint.sequence)
        } catch {
            logger.warning(
                "the fleet's checkpoint cannot be used; replaying all",
                metadata: ["reason": "\(error)"])
        }
    }

    /// Keeps the fleet as it is; a failure costs the next start time and nothing else.
    func saveFleetCheckpoint() async {
        let sequence = fleetMark.last
        let kept = KeptFleet(
            registry: registry, reports: reports, enrolledAt: enrolledAt, raisedAt: raisedAt,
            lifted: lifted)
        do {
            try await store.save(
                Checkpoint(
                    stream: "fleet", sequence: sequence, state: try WireJSON.encode(kept)))
            fleetMark.keep(sequence)
        } catch {
            logger.error("no checkpoint of the fleet was saved", metadata: ["error": "\(error)"])
        }
    }
}
