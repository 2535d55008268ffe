import FleetWire
import RolloutCore
import RolloutPlan
import Testing

/// The cost of an event does not grow with the fleet.
@Suite struct ScaleTests {
    /// A whole rollout and its rollback, every host there and well; gives nanoseconds per event.
    private func costOfEvent(hosts count: Int) throws -> Double {
        var scenario = Scenario()
        let names = (0..<count).map { "\(["a", "b", "c", "d", "e"][$0 % 5])\($0)" }
        scenario.addWave("canary", Array(names[..<10]))
        scenario.addWave("rest", Array(names[10...]), growth: WaveGrowth(from: 5, factor: 2))
        scenario.parallel = 60
        scenario.unavailable = 60
        scenario.perDomain = 7
        scenario.pace.progressDeadline = .seconds(600)
        scenario.pace.healthyDeadline = .seconds(300)
        let created = try #require(scenario.created)
        var machine = RolloutMachine()
        var now = Scenario.start
        var orders: [TransactionOrder?] = []
        var from: [HostID] = []
        var events = 0
        func feed(_ event: RolloutEvent) {
            events += 1
            now = now + Milliseconds(5)
            for case .order(let host, let order) in machine.handle(event) {
                from.append(host)
                orders.append(order)
            }
        }
        func work() {
            var next = 0
            while next < orders.count {
                if let order = orders[next] {
                    for report in answers(to: order) {
                        feed(.reported(from[next], report, at: now))
                    }
                    if order.verb == .migrate, next % 3 == 0 {
                        orders[next] = nil
                        feed(.disconnected(from[next], at: now))
                        feed(.connected(from[next], nil, at: now))
                    }
                    orders[next] = nil
                }
                next += 1
            }
            orders = []
            from = []
        }
        let spent = ContinuousClock().measure {
            feed(created)
            work()
            feed(
                .command(
                    .rollback(RollbackSelection(hosts: .all)), by: "ada", reason: nil, at: now))
            work()
        }
        #expect(machine.view(now: now)?.state == .rolledBack)
        return Double(spent.components.attoseconds) / 1e9 / Double(events)
            + Double(spent.components.seconds) * 1e9 / Double(events)
    }

    @Test func `An event in a fleet ten times as large costs about the same`() throws {
        _ = try costOfEvent(hosts: 200)
        let small = try costOfEvent(hosts: 1000)
        let large = try costOfEvent(hosts: 10_000)
        // A walk over the fleet for each event makes it ten times as much.
        #expect(large < small * 3, "\(Int(small)) ns, then \(Int(large)) ns an event")
    }
}
