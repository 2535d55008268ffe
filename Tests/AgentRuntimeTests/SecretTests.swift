import AgentCore
import AgentRuntime
import FleetTransport
import FleetWire
import Foundation
import Testing

/// Promise 9, of one host: secrets that programs and files show are in nothing that is kept or sent.
@Suite(.timeLimit(.minutes(1))) struct SecretTests {
    private let secrets = ["hunter2-step", "hunter2-check", "hunter2-file", "hunter2-status"]

    @Test("planted secrets are in no journal, log, report or message")
    func planted() async throws {
        let host = try await TestHost()
        // The plan names no secret; the host's own files hold them.
        try host.write("/etc/app.conf", "password: hunter2-file\n")
        try host.write("/step.out", "connecting with password=hunter2-step\n")
        try host.write("/check.out", "Authorization: Bearer hunter2-check\n")
        try host.write("/status.out", "running with --token hunter2-status\n")
        let service = ComponentSpec(
            name: ComponentName(unchecked: "svc"),
            driver: .service(
                ServiceControl(
                    start: ["true"], stop: ["true"],
                    status: ["/bin/cat", "{{ host.root }}/status.out"])), restart: false)
        let plan = try host.plan(
            "cat {{ host.root }}/step.out; exit 1",
            checks: [host.check("said", "cat {{ host.root }}/check.out; exit 1")],
            components: [service])
        try host.start()
        _ = try await host.coordinator.welcome()
        let answer = try await host.coordinator.ask(.inspect, InspectRequest(plan: plan))
        let diff = try answer.body(Inspection.self).changes.map(\.detail).joined()
        #expect(diff.contains("[redacted]"))
        try await host.order(.migrate, plan)
        let undo = try await host.coordinator.report(.rollingBack)
        _ = try await host.coordinator.report(.rolledBack)
        // What was looked for was there to be found.
        let evidence = try #require(undo.evidence)
        #expect(evidence["step"]?.contains("connecting with password=[redacted]") == true)
        #expect(evidence["checks"]?.contains("[redacted]") == true)
        #expect(evidence["services"]?.contains("--token [redacted]") == true)
        #expect(evidence["disks"]?.contains("bytes free") == true)
        #expect(host.read("/etc/app.conf") == "password: hunter2-file\n")
        try search(host)
    }

    private func search(_ host: TestHost) throws {
        var places = host.coordinator.payloads.map { ("a message", Data($0)) }
        #expect(places.count > 5)
        places.append(("the log", try Data(contentsOf: URL(fileURLWithPath: host.log))))
        // Points hold the captured files themselves, 0600; that is what they are for.
        let kept = try #require(FileManager.default.enumerator(atPath: host.state.path))
        for case let name as String in kept where !name.hasPrefix("points") {
            if let data = FileManager.default.contents(atPath: host.state.file(name)) {
                places.append((name, data))
            }
        }
        #expect(places.contains { $0.0 == "journal.sqlite" })
        for (place, data) in places {
            for secret in secrets {
                #expect(data.range(of: Data(secret.utf8)) == nil, "\(secret) in \(place)")
            }
        }
    }

    @Test("a host that shouts is heard: reports and answers fit their frames")
    func shouting() async throws {
        let host = try await TestHost()
        let shout =
            "i=0; while [ $i -lt 3000 ]; do printf 'a\\001\"b\\\\%s' \"$i\"; i=$((i+1)); done"
        let checks = (0..<20).map { host.check("c\($0)", shout + "; exit 1") }
        try host.start()
        _ = try await host.coordinator.welcome()
        try await host.order(.migrate, host.plan(shout, checks: checks))
        let found = try await host.coordinator.report(.checksFinished)
        #expect(found.checks?.count == 20)
        let undo = try await host.coordinator.report(.rollingBack)
        #expect(undo.evidence?["checks"] != nil)
        _ = try await host.coordinator.report(.rolledBack)
        #expect(host.coordinator.payloads.allSatisfy { $0.count < FrameLimits.v1.payloadBytesMax })
    }
}
