import FleetWire
import RolloutCore
import RolloutPlan

/// Samples of the metrics that gates of open rollouts ask for, on those rollouts' hosts, for as long
/// as their windows reach back. Kept in memory only: after a restart a gate has no data until its
/// window has filled again.
struct MetricWindows: Sendable {
    /// One value and when it arrived, by the coordinator's clock.
    struct Sample: Sendable, Hashable {
        var at: Timestamp
        var value: Double
    }

    /// What is kept of one metric on one host.
    private struct Series: Sendable {
        var samples: [Sample] = []
        /// How many rollouts ask for it.
        var wants = 0
        var window = Milliseconds.zero
    }

    private var series: [HostID: [String: Series]] = [:]
    private var wanted: [RolloutID: [HostID]] = [:]

    /// Rollouts whose metrics are kept.
    var rollouts: Set<RolloutID> { Set(wanted.keys) }

    /// Keeps what the gates of a rollout ask for, from now on.
    mutating func begin(_ id: RolloutID, _ plan: ResolvedPlan) {
        guard wanted[id] == nil else { return }
        let rules = Self.rules(of: plan)
        let hosts = rules.isEmpty ? [] : plan.hosts.map(\.id)
        wanted[id] = hosts
        for host in hosts {
            for rule in rules {
                var kept = series[host]?[rule.metric] ?? Series()
                kept.wants += 1
                kept.window = max(kept.window, rule.window)
                series[host, default: [:]][rule.metric] = kept
            }
        }
    }

    /// Lets go of what only this rollout asked for.
    mutating func end(_ id: RolloutID, _ plan: ResolvedPlan) {
        let rules = Self.rules(of: plan)
        for host in wanted.removeValue(forKey: id) ?? [] {
            for rule in rules {
                series[host]?[rule.metric]?.wants -= 1
                if series[host]?[rule.metric]?.wants == 0 { series[host]?[rule.metric] = nil }
            }
            if series[host]?.isEmpty == true { series[host] = nil }
        }
    }

    /// Takes a heartbeat's metrics; those that nobody asks for are dropped.
    mutating func take(_ metrics: [String: Double], of host: HostID, at now: Timestamp) {
        guard let asked = series[host] else { return }
        for (metric, kept) in asked {
            guard let value = metrics[metric], value.isFinite,
                kept.samples.last.map({ now.since($0.at) >= GateLimits.sampleEvery }) ?? true
            else { continue }
            let firstFit = kept.samples.firstIndex { now.since($0.at) <= kept.window }
            let tooMany = kept.samples.count + 1 - GateLimits.samplesMax
            let old = max(firstFit ?? kept.samples.count, tooMany)
            if old > 0 { series[host]?[metric]?.samples.removeFirst(old) }
            series[host]?[metric]?.samples.append(Sample(at: now, value: value))
        }
    }

    /// A host's samples of a metric within a window before `now`, oldest first.
    func samples(_ rule: MetricRule, of host: HostID, now: Timestamp) -> [Double] {
        (series[host]?[rule.metric]?.samples ?? []).filter {
            $0.at <= now && now.since($0.at) <= rule.window
        }.map(\.value)
    }

    private static func rules(of plan: ResolvedPlan) -> Set<MetricRule> {
        Set(
            plan.waves.flatMap(\.gates).compactMap { gate in
                if case .metric(let rule) = gate.probe { rule } else { nil }
            })
    }
}
