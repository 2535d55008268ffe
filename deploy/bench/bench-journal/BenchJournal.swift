import ArgumentParser
import CoordinatorServer
import FleetWire
import Glibc
import RolloutCore
import StateStore

/// `bench-journal`: fills the journal of a coordinator that was just made with what the engine itself
/// writes during one long rollout, for `belay-bench replay`.
@main
struct BenchJournal: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-journal",
        abstract: "Writes the journal of a rollout of EVENTS events, amid which it stops.")

    @Option(help: "The coordinator's state directory, made by `belay-coordinator init`.")
    var state: String
    @Option(help: "Events of the rollout.")
    var events = 100_000
    @Option(help: "Hosts of the rollout.")
    var hosts = 1000
    @Option(help: "Certificates that each host got; each is an event of the fleet.")
    var certificates = 10
    @Option(help: "Events that the rollout was begun for; EVENTS unless given.")
    var planned: Int?
    @Flag(help: "Goes on with the rollout that stands in the journal instead of beginning one.")
    var more = false

    func validate() throws {
        guard (1...10_000_000).contains(events), (10...100_000).contains(hosts),
            (1...1000).contains(certificates)
        else {
            throw ValidationError(
                "--events is 1 to 10000000, --hosts 10 to 100000, --certificates 1 to 1000")
        }
    }

    func run() async throws {
        let store = try SQLiteStateStore(directory: state)
        let plan = JournalPlan(hosts: hosts, events: planned ?? events)
        var writer = await JournalWriter(store: store)
        if !more {
            for event in plan.fleet(certificates: certificates, from: writer.now) {
                try await writer.add(event)
            }
        }
        var rollout = RolloutWork(plan: plan)
        if more {
            let known = try await writer.known(of: JournalPlan.rollout)
            for event in known { rollout.replay(event) }
        }
        for _ in 0..<events {
            guard let event = rollout.next(at: writer.now) else {
                throw ValidationError("the rollout ended early; give it more --hosts")
            }
            try await writer.add(event)
        }
        try await writer.flush()
        await store.close()
    }
}
