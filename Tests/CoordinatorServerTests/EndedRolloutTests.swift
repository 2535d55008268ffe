@testable import CoordinatorServer
import FleetWire
import Foundation
import OperatorAPI
import RolloutCore
import RolloutPlan
import StateStore
import Testing

@Suite("Rollouts that ended", .serialized)
struct EndedRolloutTests {
    private func run(
        _ store: any StateStore, _ body: (Coordinator) async throws -> Void
    ) async throws {
        let coordinator = Coordinator(
            store: store, authority: nil, logger: silent, clock: wallClock)
        try await coordinator.recover()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await coordinator.run() }
            try await body(coordinator)
            coordinator.stop()
            try await group.waitForAll()
        }
    }

    private func enrol(_ coordinator: Coordinator) async throws {
        for name in ["h1", "h2"] {
            let request = TokenRequest(lifetime: .seconds(60), uses: 1, labels: [:], host: nil)
            try await coordinator.record(
                .tokenMade(
                    id: name, secret: Tokens.hash(name), request: request,
                    expires: wallClock() + .seconds(60)), by: "t")
            try await coordinator.record(
                .enrolled(
                    host: HostID(unchecked: name), serial: "1", ends: wallClock() + .seconds(60),
                    token: name, key: nil), by: "t")
        }
    }

    private func begin(
        _ coordinator: Coordinator, _ artifacts: ArtifactStore, overriding: Bool = false,
        reason: String? = nil
    ) async throws -> RolloutID {
        let request = ApplyRequest(
            plan: RolloutTests.plan(approval: true), digest: nil, overrideQuarantine: overriding,
            reason: reason)
        return try await coordinator.apply(request, by: "ada", artifacts: artifacts).id
    }

    @Test("leave memory but not lists, and are there again when somebody asks, over restarts")
    func memory() async throws {
        let scratch = try Scratch()
        let artifacts = try ArtifactStore(directory: scratch.path + "/artifacts")
        let store = MemoryStateStore()
        let began = ContinuousClock.now
        var kept: [RolloutSummary] = []
        try await run(store) { coordinator in
            try await enrol(coordinator)
            for _ in 0..<500 {
                let id = try await begin(coordinator, artifacts)
                _ = try await coordinator.command(
                    CommandRequest(command: .abort, reason: nil), to: id, by: "ada")
            }
            kept = await coordinator.summaries()
            #expect(kept.count == 500 && kept.allSatisfy { $0.state == .aborted })
            try await eventually("the oldest leave memory") {
                await coordinator.rollouts.count == CoordinatorLimits.endedKept
            }
            let oldest = try #require(kept.first).id
            #expect(await coordinator.ended[oldest] != nil)
            let view = try await coordinator.view(of: oldest)
            #expect(RolloutSummary(view) == kept.first)
            #expect(try await coordinator.history(of: oldest).count > 1)
            #expect(try await coordinator.why(oldest, host: HostID("h1")).waitsFor.isEmpty == false)
            let error = await #expect(throws: APIFailure.self) {
                _ = try await coordinator.command(
                    CommandRequest(command: .pause, reason: nil), to: oldest, by: "ada")
            }
            #expect(error?.code == "conflict", "its machine judged")
        }
        print("500 rollouts made and aborted in \(ContinuousClock.now - began)")
        let again = ContinuousClock.now
        try await run(store) { coordinator in
            #expect(await coordinator.rollouts.count == CoordinatorLimits.endedKept)
            let now = await coordinator.summaries()
            #expect(now.map(\.id) == kept.map(\.id) && now.first?.state == .aborted)
        }
        print("replayed in \(ContinuousClock.now - again)")
    }

    @Test("are the same from a checkpoint as from the whole journal, byte for byte")
    func checkpoint() async throws {
        let scratch = try Scratch()
        let artifacts = try ArtifactStore(directory: scratch.path + "/artifacts")
        let store = MemoryStateStore()
        var made: RolloutID?
        try await run(store) { coordinator in
            try await enrol(coordinator)
            let id = try await begin(coordinator, artifacts)
            made = id
            let host = HostID(unchecked: "h1")
            for number in 0..<620 {
                let event: RolloutEvent =
                    number % 2 == 0
                    ? .connected(host, nil, at: wallClock()) : .disconnected(host, at: wallClock())
                try await coordinator.submit(.rollout(id, event), actor: "host:h1")
            }
        }
        let id = try #require(made)
        let checkpoint = try #require(await store.checkpoint(of: id.rawValue))
        let atStop = await store.records(after: 0, stream: id.rawValue, limit: 10_000)
        #expect(checkpoint.sequence == atStop.last?.sequence, "a stop in order keeps all of it")
        try await addTail(to: id, in: store)
        let records = await store.records(after: 0, stream: id.rawValue, limit: 10_000)
        #expect(records.count == atStop.count + 3, "there is a tail to replay")
        var whole = RolloutMachine()
        for record in records {
            _ = whole.handle(
                try WireJSON.decode(RolloutEvent.self, from: record.content.payload))
        }
        let coordinator = Coordinator(
            store: store, authority: nil, logger: silent, clock: wallClock)
        try await coordinator.recover()
        let replayed = try await coordinator.machine(of: id).machine
        #expect(try WireJSON.encode(replayed) == WireJSON.encode(whole))
    }

    /// Events after the newest checkpoint, as a killed coordinator leaves them.
    private func addTail(to id: RolloutID, in store: MemoryStateStore) async throws {
        let host = HostID(unchecked: "h2")
        let events: [RolloutEvent] = [
            .connected(host, nil, at: wallClock()), .disconnected(host, at: wallClock()),
            .connected(host, nil, at: wallClock()),
        ]
        let records = try events.map {
            NewRecord(
                at: wallClock(), actor: "host:h2", stream: id.rawValue, kind: $0.kind,
                payload: try WireJSON.encode($0))
        }
        _ = try await store.append(records, expecting: await store.lastSequence())
    }

    @Test("tell a follower only what is new")
    func history() async throws {
        let scratch = try Scratch()
        let artifacts = try ArtifactStore(directory: scratch.path + "/artifacts")
        try await run(MemoryStateStore()) { coordinator in
            try await enrol(coordinator)
            let id = try await begin(coordinator, artifacts, reason: "spring cleaning")
            let first = try await coordinator.history(of: id)
            #expect(first.first?.text.contains("spring cleaning") == true)
            #expect(first.first?.actor == "operator:ada")
            _ = try await coordinator.command(
                CommandRequest(command: .abort, reason: nil), to: id, by: "ada")
            let all = try await coordinator.history(of: id)
            let new = try await coordinator.history(of: id, after: first.count)
            #expect(!new.isEmpty && first + new == all)
            #expect(try await coordinator.history(of: id, after: all.count).isEmpty)
            #expect(try await coordinator.history(of: id, after: 1) == Array(all.dropFirst()))
        }
    }

    @Test("and are in quarantine are let through only with a reason, which is kept")
    func quarantine() async throws {
        let scratch = try Scratch()
        let artifacts = try ArtifactStore(directory: scratch.path + "/artifacts")
        try await run(MemoryStateStore()) { coordinator in
            try await enrol(coordinator)
            let digest = try await coordinator.resolve(RolloutTests.plan(approval: true)).planDigest
            await coordinator.quarantine([digest], reason: "bad", of: RolloutID(unchecked: "x-1"))
            try await eventually("it is in quarantine") {
                coordinator.directory.snapshot.quarantine[digest] != nil
            }
            for (overriding, reason, code) in [
                (false, nil, "conflict"), (true, nil, "invalid"), (true, "", "invalid"),
            ] as [(Bool, String?, String)] {
                let error = await #expect(throws: APIFailure.self) {
                    _ = try await begin(
                        coordinator, artifacts, overriding: overriding, reason: reason)
                }
                #expect(error?.code == code)
            }
            let id = try await begin(
                coordinator, artifacts, overriding: true, reason: "known to be fine")
            let texts = try await coordinator.history(of: id).map(\.text)
            #expect(texts.contains { $0.contains("known to be fine") })
            #expect(texts.contains { $0.contains("quarantine") && $0.contains(digest.short) })
        }
    }

    @Test("are waited for no longer once the caller has gone")
    func abandonedPoll() async throws {
        let scratch = try Scratch()
        let artifacts = try ArtifactStore(directory: scratch.path + "/artifacts")
        try await run(MemoryStateStore()) { coordinator in
            try await enrol(coordinator)
            let id = try await begin(coordinator, artifacts)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    _ = try? await coordinator.view(of: id, after: .max, wait: .seconds(60))
                }
                try await eventually("it waits") { await coordinator.watchers.count == 1 }
                group.cancelAll()
                try await eventually("it has gone") { await coordinator.watchers.isEmpty }
            }
        }
    }
}
