import CoordinatorServer
import FleetWire
import RolloutCore
import RolloutPlan

/// The fleet and the plan of the rollout: a canary of ten hosts, then the others, with as many steps
/// for each host as make the wanted number of events.
struct JournalPlan {
    static let rollout = RolloutID(unchecked: "replayed-1")
    private static let canary = 10
    /// Reports of a host beside those of its steps, at least.
    private static let otherReports = 8
    private let hosts: [HostID]
    private let steps: Int

    init(hosts count: Int, events: Int) {
        hosts = (0..<count).map { HostID(unchecked: "host-\($0)") }
        // A few more than needed, so that the rollout is still under way at its last event.
        steps = max(1, (events / count - Self.otherReports) / 2 + 2)
    }

    /// Enrolments of all hosts and the renewals that followed, in the order of their times.
    func fleet(certificates: Int, from start: Timestamp) -> [FleetEvent] {
        let ends = start + .seconds(30 * 86_400)
        return (0..<certificates).flatMap { round in
            hosts.enumerated().map { place, host in
                let serial = String(round * hosts.count + place, radix: 16)
                return round == 0
                    ? .enrolled(host: host, serial: serial, ends: ends, token: "bench", key: nil)
                    : .renewed(host: host, serial: serial, ends: ends)
            }
        }
    }

    func created(at now: Timestamp) -> RolloutEvent? {
        guard let digest = Digest(String(repeating: "ab", count: 32)) else { return nil }
        let resolved = hosts.enumerated().map {
            ResolvedHost(id: $1, labels: ["zone": zone($0), "role": "db"], domain: zone($0))
        }
        let plan = ResolvedPlan(
            name: "replayed", planDigest: digest, artifacts: [], hosts: resolved,
            waves: [
                wave("canary", hosts.prefix(Self.canary)),
                wave("rest", hosts.dropFirst(Self.canary)),
            ],
            limits: RolloutLimits(
                parallelMax: 60, unavailableMax: 60, unavailablePerDomainMax: 15,
                stageDeadline: .seconds(3600), migrationDeadline: .seconds(3600),
                unreachableAfter: .seconds(60)),
            budget: FailureBudget(fleet: 5, wave: nil, domain: nil),
            rollback: RollbackPolicy(onExhausted: .rollback), needsApproval: false, work: work)
        return .created(
            RolloutDefinition(plan: plan, connected: hosts), id: Self.rollout, by: "bench", at: now)
    }

    private func zone(_ place: Int) -> String { "zone-\(place % 5)" }

    private func wave(_ name: String, _ hosts: ArraySlice<HostID>) -> ResolvedWave {
        ResolvedWave(name: name, hosts: Array(hosts), soak: .zero, gates: [])
    }

    private var work: PlannedWork {
        let steps = (0..<steps).map {
            StepSpec(
                name: "step-\($0)",
                action: .run(
                    RunStep(argv: ["/usr/bin/true"], shell: nil, env: [:], directory: nil)),
                phase: "storage")
        }
        return PlannedWork(
            variables: ["version": "2"],
            components: [
                ComponentSpec(
                    name: ComponentName(unchecked: "app"),
                    driver: .files(paths: ["/opt/app"], exclude: [], data: false), restart: false)
            ],
            stages: [StageSpec(stage: .migration, steps: steps, checks: [])],
            confirmWithin: .seconds(120), coordinatorLost: .hold)
    }
}
