import CoordinatorServer
import FleetWire
import NIOHTTP1
import OperatorAPI
import RolloutPlan
import StateStore
import Synchronization
import Testing

@Suite("Quarantine", .serialized)
struct QuarantineTests {
    private static func entry(
        _ digest: Digest, until: Timestamp?, at: Timestamp = wallClock()
    ) -> QuarantineView {
        var entry = QuarantineView(
            digest: digest, reason: "the canary failed", rollout: RolloutID(unchecked: "old-1"),
            at: at)
        entry.until = until
        entry.kind = .plan
        entry.name = "demo"
        return entry
    }

    @Test("that an older version wrote reads as one for good")
    func older() throws {
        let digest = Tokens.hash("a")
        let text = """
            {"quarantined":{"entries":[{"at":5,"digest":"\(digest)","reason":"r",\
            "rollout":"old-1"}]}}
            """
        var registry = FleetRegistry()
        registry.apply(try WireJSON.decode(FleetEvent.self, from: Array(text.utf8)))
        let far = Timestamp(milliseconds: .max / 2)
        #expect(registry.knownBad(at: far)[digest]?.reason == "r")
        // What is known for good is not shortened by a later finding, a shorter one is made longer.
        registry.apply(.quarantined(entries: [Self.entry(digest, until: wallClock())]))
        #expect(registry.quarantine[digest]?.until == nil)
        let other = Tokens.hash("b")
        for until: Int64 in [10, 30, 20] {
            registry.apply(
                .quarantined(
                    entries: [Self.entry(other, until: Timestamp(milliseconds: until))]))
        }
        #expect(registry.quarantine[other]?.until == Timestamp(milliseconds: 30))
        #expect(registry.knownBad(at: Timestamp(milliseconds: 29))[other] != nil)
        #expect(registry.knownBad(at: Timestamp(milliseconds: 30))[other] == nil)
    }

    @Test("ends by itself: blocks until then, is shown as over for a week, and is gone after that")
    func ends() async throws {
        let scratch = try Scratch()
        let late = Mutex<Int64>(0)
        let clock: @Sendable () -> Timestamp = { wallClock() + .seconds(late.withLock { $0 }) }
        try await RunningCoordinator.run(.sqlite, in: scratch) { _ in }
        let plan = try RolloutTests.plan().resolve(
            against: GateSamples.hosts.map { FleetHost(id: $0, labels: [:]) })
        let store = try SQLiteStateStore(directory: scratch.path)
        let event = FleetEvent.quarantined(
            entries: [Self.entry(plan.planDigest, until: wallClock() + .seconds(3600))])
        _ = try await store.append(
            [
                NewRecord(
                    at: wallClock(), actor: "coordinator", stream: "fleet", kind: event.kind,
                    payload: WireJSON.encode(event))
            ], expecting: await store.lastSequence())
        await store.close()
        try await RunningCoordinator.run(.sqlite, in: scratch, clock: clock) { coordinator in
            let api = coordinator.api
            func shown() async throws -> [QuarantineView] {
                try await api.get("/v1/quarantine").body([QuarantineView].self)
            }
            _ = try await RolloutTests.fleet(coordinator)
            let before = try await shown()
            #expect(before.map(\.expired) == [false] && before[0].name == "demo")
            let refused = try await RolloutTests.apply(coordinator, approval: false)
            #expect(refused.status == 409 && refused.text.contains("quarantine"))
            late.withLock { $0 = 3601 }
            let after = try await shown()
            #expect(after.map(\.expired) == [true])
            let taken = try await RolloutTests.apply(coordinator, approval: false)
            #expect(taken.status == 201, "\(taken.text)")
            late.withLock { $0 = 3601 + 7 * 86_400 }
            let gone = try await shown()
            #expect(gone.isEmpty)
        }
    }

    @Test("is lifted by an admin with a reason, once")
    func lifted() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.sqlite, in: scratch) { _ in }
        let digest = Tokens.hash("bad")
        let store = try SQLiteStateStore(directory: scratch.path)
        let event = FleetEvent.quarantined(entries: [Self.entry(digest, until: nil)])
        _ = try await store.append(
            [
                NewRecord(
                    at: wallClock(), actor: "coordinator", stream: "fleet", kind: event.kind,
                    payload: WireJSON.encode(event))
            ], expecting: await store.lastSequence())
        await store.close()
        try await RunningCoordinator.run(.sqlite, in: scratch) { coordinator in
            func lift(_ reason: String?) async throws -> Int {
                let answer = try await coordinator.api.send(
                    .DELETE, "/v1/quarantine/\(digest.hex)", json: ReasonBody(reason: reason))
                return answer.status
            }
            let none = try await lift(nil)
            let given = try await lift("the check was wrong")
            let again = try await lift("again")
            #expect([none, given, again] == [400, 204, 404])
        }
    }
}
