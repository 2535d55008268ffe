import FleetWire
import Foundation
import Glibc
import OperatorAPI
import RolloutCore
import Testing

/// `BELAY_SOAK_SECONDS` and `BELAY_SOAK_SEEDS` make it longer; `make soak` sets them.
@Suite("Twelve agents on a bad network, with processes killed", .serialized)
struct BadNetworkTests {
    private static let hosts = ["a", "b", "c", "d"].flatMap { zone in
        (1...3).map { "\(zone)\($0)" }
    }
    /// Failures that a rollout bears.
    private static let budget = 3

    private static func setting(_ name: String, _ usual: Int) -> Int {
        getenv(name).flatMap { Int(String(cString: $0)) } ?? usual
    }

    private static var seeds: [UInt64] {
        (0..<UInt64(max(1, setting("BELAY_SOAK_SEEDS", 1)))).map { $0 + 11 }
    }

    @Test(
        "Delayed, held up, one-way and cut, each host ends in one whole version", arguments: seeds)
    func stormy(seed: UInt64) async throws {
        var options = TestFleet.Options()
        options.relayed = true
        let trouble = Duration.seconds(max(1, Self.setting("BELAY_SOAK_SECONDS", 15)))
        try await withFleet(Self.hosts, options) { fleet in
            var dice = CrashTests.Dice(state: seed &* 0x9E37_79B9_7F4A_7C15)
            let deadline = ContinuousClock.now + trouble
            var versions = [String: Int](uniqueKeysWithValues: fleet.hosts.map { ($0, 1) })
            var version = 1
            while version == 1 || ContinuousClock.now < deadline {
                version += 1
                try await begin(version, on: fleet)
                while ContinuousClock.now < deadline, try await isOpen(fleet) {
                    try await disturb(fleet, &dice)
                }
                fleet.relay?.become(Relay.Weather())
                let ended = try await fleet.ended(within: .seconds(120))
                try await fleet.allConnected()
                versions = try await settle(ended, to: version, versions, fleet, seed)
            }
            let audit = try await fleet.belay("audit", "verify")
            #expect(audit.status == 0, "seed \(seed): \(audit.summary)")
        }
    }

    private func begin(_ version: Int, on fleet: TestFleet) async throws {
        var plan = TestPlan(name: "to-\(version)")
        plan.version = "\(version)"
        plan.checks = [
            "{name: release, level: critical, timeout: 5s, "
                + "run: {shell: \"grep -q '^\(version)' $BELAY_ROOT/opt/app/release\"}}"
        ]
        plan.budget = "{fleet: \(Self.budget)}"
        plan.parallel = 4
        plan.unavailable = 4
        plan.confirmWithin = "6s"
        plan.extraSteps = [TestPlan.counted("to-\(version)", then: "sleep 0.2")]
        let applied = try await fleet.belay(
            "apply", try fleet.plan(plan.yaml, named: plan.name), "--auto-approve", "--detach")
        #expect(applied.status == 0, "\(applied.summary)")
    }

    private func isOpen(_ fleet: TestFleet) async throws -> Bool {
        try await fleet.rollouts().contains { $0.endedAt == nil }
    }

    /// One more thing goes wrong, or all is well for a while.
    private func disturb(_ fleet: TestFleet, _ dice: inout CrashTests.Dice) async throws {
        switch dice.roll(7) {
        case 0: fleet.relay?.become(Relay.Weather(delayMilliseconds: UInt32(20 + dice.roll(200))))
        case 1: fleet.relay?.become(Relay.Weather(holdsUp: true))
        case 2: fleet.relay?.become(Relay.Weather(holdsDown: true))
        case 3: fleet.relay?.become(Relay.Weather(holdsUp: true, holdsDown: true))
        case 4: fleet.relay?.cut()
        case 5: try await KilledFleetTests.kill(fleet, &dice)
        default: fleet.relay?.become(Relay.Weather())
        }
        try await Task.sleep(for: .milliseconds(100 + dice.roll(900)))
    }

    /// Where each host is after a rollout: new if it was committed, else whole in one of the two.
    private func settle(
        _ ended: RolloutView, to version: Int, _ before: [String: Int], _ fleet: TestFleet,
        _ seed: UInt64
    ) async throws -> [String: Int] {
        #expect(
            ended.state == .succeeded || ended.state == .rolledBack,
            "seed \(seed), to \(version): \(ended.state), \(ended.reason)")
        let lost = ended.hosts.count { $0.state != .committed }
        if ended.state == .succeeded {
            #expect(lost <= Self.budget, "seed \(seed): \(lost) hosts are not committed")
        }
        var after: [String: Int] = [:]
        for host in ended.hosts {
            let name = host.id.rawValue
            let wanted = Set([before[name], host.state == .rolledBack ? nil : version])
            try await eventually("seed \(seed): \(name) is whole", within: .seconds(40)) {
                guard let found = KilledFleetTests.version(fleet, name) else { return false }
                after[name] = found
                return host.state == .committed ? found == version : wanted.contains(found)
            }
            let steps = (fleet.read(name, "var/log/steps") ?? "").split(separator: "\n")
            #expect(Set(steps).count == steps.count, "seed \(seed): \(name) ran \(steps)")
        }
        return after
    }
}
