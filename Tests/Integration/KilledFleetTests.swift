import FleetWire
import Foundation
import Glibc
import OperatorAPI
import RolloutCore
import Testing

@Suite("Several rollouts while agents and coordinator are killed", .serialized)
struct KilledFleetTests {
    /// Versions that a host was declared to be in, by the files that must agree.
    static func version(_ fleet: TestFleet, _ host: String) -> Int? {
        guard let release = fleet.read(host, "opt/app/release"),
            let number = Int(release.dropLast()), release == "\(number)\n"
        else { return nil }
        let isFirst = number == 1
        let settings =
            isFirst
            ? TestFleet.skeleton["etc/app/app.conf"] : "version=\(number)\nhost=\(host)\n"
        let flag = isFirst ? #""defaultVariant": "off""# : #""defaultVariant": "on""#
        let hasAdded = fleet.read(host, "opt/app/added") != nil
        guard fleet.read(host, "etc/app/app.conf") == settings, hasAdded != isFirst,
            fleet.read(host, "etc/app/flags.json")?.contains(flag) == true
        else { return nil }
        return number
    }

    @Test(
        "Whoever is killed when, each host ends in one whole version and no step runs twice",
        arguments: [5, 6, 7] as [UInt64])
    func killed(seed: UInt64) async throws {
        try await withFleet(["a1", "b1", "c1"]) { fleet in
            var dice = CrashTests.Dice(state: seed &* 0x9E37_79B9_7F4A_7C15)
            var versions = [String: Int](uniqueKeysWithValues: fleet.hosts.map { ($0, 1) })
            for version in 2...3 {
                var plan = TestPlan(name: "to-\(version)")
                plan.version = "\(version)"
                plan.checks = [
                    "{name: release, level: critical, timeout: 5s, "
                        + "run: {shell: \"grep -q '^\(version)' $BELAY_ROOT/opt/app/release\"}}"
                ]
                plan.confirmWithin = "4s"
                plan.extraSteps = (1...2).map {
                    TestPlan.counted("to-\(version)-s\($0)", then: "sleep 0.2")
                }
                let applied = try await fleet.belay(
                    "apply", try fleet.plan(plan.yaml, named: plan.name), "--auto-approve",
                    "--detach")
                #expect(applied.status == 0, "seed \(seed): \(applied.summary)")
                for _ in 0..<3 { try await Self.kill(fleet, &dice) }
                let ended = try await fleet.ended(within: .seconds(60))
                try await fleet.allConnected()
                let isForward = ended.state == .succeeded
                #expect(isForward || ended.state == .rolledBack, "seed \(seed): \(ended.reason)")
                for host in fleet.hosts {
                    let found = Self.version(fleet, host)
                    let expected = isForward ? version : versions[host]
                    #expect(found == expected, "seed \(seed): \(host) after \(ended.state)")
                    versions[host] = found
                    let steps = (fleet.read(host, "var/log/steps") ?? "").split(separator: "\n")
                    #expect(Set(steps).count == steps.count, "seed \(seed): \(host) ran \(steps)")
                }
            }
            let audit = try await fleet.belay("audit", "verify")
            #expect(audit.status == 0, "seed \(seed): \(audit.summary)")
        }
    }

    /// Waits a random while, then kills one agent or the coordinator, and starts it again.
    static func kill(_ fleet: TestFleet, _ dice: inout CrashTests.Dice) async throws {
        try await Task.sleep(for: .milliseconds(50 + dice.roll(600)))
        let victim = dice.roll(fleet.hosts.count + 1)
        guard victim < fleet.hosts.count else {
            try await fleet.coordinator?.killNow()
            try await fleet.startCoordinator()
            return
        }
        let host = fleet.hosts[victim]
        try await fleet.agents[host]?.killNow()
        try fleet.startAgent(host)
    }
}
