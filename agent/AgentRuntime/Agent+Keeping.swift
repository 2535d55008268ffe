import AgentCore
import FleetWire
import HostProcesses
import HostSnapshots
import Logging

/// The store's upkeep while the agent runs: retention after captures and commits, scrubs in the
/// background.
extension Agent {
    /// How often all objects are read back where the store's settings do not say.
    static let scrubEvery = Milliseconds.seconds(7 * 86_400)
    /// What a scrub reads a second at most.
    private static let scrubPace = ByteCount(32 << 20)
    /// How often it is looked whether a scrub is due.
    private static let looksForScrubs = Milliseconds.seconds(60)

    /// Runs until it is cancelled.
    func keepPoints() async {
        var sinceLook = Self.looksForScrubs
        while !Task.isCancelled {
            if isRetentionDue, !machine.isBusy {
                isRetentionDue = false
                await applyRetention()
            }
            if sinceLook >= Self.looksForScrubs {
                sinceLook = .zero
                await scrubIfDue()
            }
            try? await Task.sleep(for: .seconds(1))
            sinceLook = sinceLook + .seconds(1)
        }
    }

    /// Removes points that the store's settings, or the default without them, do not keep.
    func applyRetention() async {
        do {
            let pruned = try await work(nil, ControlUpdates()) { work -> PruneReply? in
                let policy = try work.store.settings().retention
                return policy == PointRetention() ? nil : try work.prune(policy, dryRun: false)
            }
            guard let pruned else { return }
            keep { $0.forget(pruned.removed) }
            if !pruned.removed.isEmpty {
                logger.info(
                    "retention removed points",
                    metadata: [
                        "removed": "\(pruned.removed.count)", "kept": "\(pruned.kept)",
                        "freed": "\(pruned.freed.count)",
                    ])
            }
            // What is being read is removed by the next one.
            if pruned.deferred != nil { isRetentionDue = true }
        } catch {
            logger.warning("retention failed", metadata: ["reason": "\(error)"])
        }
    }

    private func scrubIfDue() async {
        do {
            let hands = HostHands(self)
            let (every, last) = try await hands.block {
                let store = try hands.store()
                return (
                    try store.settings().scrubEvery ?? Self.scrubEvery, try store.scrubState()
                )
            }
            // One that was cut off goes on at once.
            let since = last.map { state in
                state.ended.map { HostClock.now().since($0) } ?? every
            }
            guard since.map({ $0 >= every }) ?? true else { return }
            let begun = HostClock.now()
            let outcome = try await scrubInBackground()
            keep {
                $0.take(outcome, begun: begun, at: HostClock.now())
                $0.scrubbed = HostClock.now()
            }
            for trouble in health.troubles {
                logger.error("stored points are damaged", metadata: ["what": "\(trouble.text)"])
            }
        } catch let refusal as Refusal where refusal == .stopped {
            // The agent stops; the next start goes on where it was.
        } catch {
            logger.error("the points cannot be read back", metadata: ["reason": "\(error)"])
            keep { $0.scrubFailed(HostHands(self).shown(error), at: HostClock.now()) }
        }
    }

    private func scrubInBackground() async throws -> PointReply {
        let hands = HostHands(self)
        return try await OwnThread.run { cancellation in
            Result {
                try PointWork(
                    store: try hands.store(), inUse: [:], damaged: [],
                    root: hands.state.rootDirectory, updates: ControlUpdates(),
                    cancellation: cancellation
                ).scrub(pace: Self.scrubPace)
            }
        }.get()
    }

    /// Changes what is known of the points' health, durably where that is possible.
    func keep(_ change: (inout PointHealth) -> Void) {
        var next = health
        change(&next)
        guard next != health else { return }
        health = next
        do {
            try state.write(try WireJSON.encode(next), to: PointHealth.fileName)
        } catch {
            logger.warning("points.json cannot be written", metadata: ["reason": "\(error)"])
        }
    }

    /// What an answer tells of the points' health.
    func heed(_ request: PointRequest, _ reply: PointReply) {
        let now = HostClock.now()
        switch request.action {
        case .verify:
            guard let point = reply.points.first else { return }
            var lines = reply.damaged ?? []
            // They went out as they were found.
            if lines.isEmpty, point.isDamaged == true { lines = ["a verification found damage"] }
            let found = lines
            keep { $0.take(point.id, damaged: found, isDeep: request.deep == true, at: now) }
        case .scrub:
            keep {
                $0.take(reply, at: now)
                $0.scrubbed = now
            }
        case .repair: keep { $0.take(reply, at: now) }
        case .prune where request.dryRun != true:
            keep { $0.forget(reply.prune?.removed ?? []) }
        case .create: isRetentionDue = true
        case .list, .show, .diff, .restore, .prune: break
        }
    }

    /// Samples of the points, for heartbeats.
    var pointSamples: [String: Double] {
        var samples = ["belay_points_damaged": Double(health.damagedPoints.count)]
        samples["belay_points_half_restored"] = Double(
            Set(machine.halfRestored.map(\.point)).count)
        if let scrubbed = health.scrubbed {
            samples["belay_points_scrub_timestamp_seconds"] =
                Double(scrubbed.milliseconds) / 1000
        }
        return samples
    }
}
