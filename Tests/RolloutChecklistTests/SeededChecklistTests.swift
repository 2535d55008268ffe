import FleetWire
import RolloutChecklist
import Testing

/// Random checklists and random changes, held against what must be true at every moment.
struct SeededChecklistTests {
    /// SplitMix64: the same seed gives the same run on every machine.
    struct SeededRandom: RandomNumberGenerator {
        private var state: UInt64
        init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    @Test(arguments: UInt64(1)...200)
    func `whatever is told in whatever order, the rules hold`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let items = Self.items(&random)
        var list = try #require(Checklist(items), "seed \(seed)")
        var taken = 0
        for step in 0..<300 {
            let before = list
            let place = Int.random(in: items.indices, using: &random)
            let change = ChecklistChange(
                item: items[place].id, action: .allCases.randomElement(using: &random) ?? .start,
                revision: list.records[place].revision
                    - (Int.random(in: 0..<10, using: &random) == 0 ? 1 : 0))
            let reason = Bool.random(using: &random) ? "why" : nil
            let at = Timestamp(milliseconds: Int64(step) * 1000)
            let refusal = list.take(change, by: "ada", reason: reason, at: at)
            if refusal == nil { taken += 1 }
            try Self.check(before, list, place, refusal, "seed \(seed) step \(step) \(change)")
            let bytes = try WireJSON.encode(list)
            if step % 50 == 0 {
                #expect(try WireJSON.decode(Checklist.self, from: bytes) == list)
            }
            let progress = list.progress(at: at)
            #expect((progress.percent == 100) == list.records.allSatisfy(\.state.isSettled))
            #expect(progress.counts.values.reduce(0, +) == items.count)
            #expect(progress.criticalPath.isEmpty == (progress.percent == 100))
        }
        #expect(taken > 0, "seed \(seed) moved nothing")
    }

    private static func check(
        _ old: Checklist, _ new: Checklist, _ place: Int, _ refusal: ChecklistRefusal?,
        _ context: String
    ) throws {
        if refusal != nil { #expect(new == old, "\(context): refused, but moved") }
        for (number, item) in new.items.enumerated() {
            if number != place {
                #expect(new.records[number] == old.records[number], "\(context): moved \(item.id)")
            }
            let dependencies = item.dependsOn.compactMap { new.place(of: $0) }
            switch new.records[number].state {
            case .inProgress, .completed, .failed:
                #expect(
                    dependencies.allSatisfy { new.records[$0].state.isSettled },
                    "\(context): \(item.id) began before what it depends on")
            case .skipped:
                #expect(!item.isRequired, "\(context): \(item.id) is required")
                #expect(new.records[number].reason != nil && new.records[number].by != nil)
            case .pending: break
            case .blocked: Issue.record("\(context): blocked is derived")
            }
            // Blocked is exactly: pending, with a failure reached through pending items.
            #expect(
                (new.state(of: number) == .blocked)
                    == (new.records[number].state == .pending
                        && dependencies.contains { isFailedBehind($0, new) }),
                "\(context)")
        }
        // Unless all is settled, somebody can do something.
        #expect(new.workable.isEmpty == new.records.allSatisfy(\.state.isSettled), "\(context)")
    }

    private static func isFailedBehind(_ place: Int, _ list: Checklist) -> Bool {
        switch list.records[place].state {
        case .failed: true
        case .pending:
            list.items[place].dependsOn.compactMap { list.place(of: $0) }
                .contains { isFailedBehind($0, list) }
        case .inProgress, .completed, .skipped, .blocked: false
        }
    }

    /// One to eight items in shuffled order, dependencies without cycles.
    private static func items(_ random: inout SeededRandom) -> [ChecklistItem] {
        let count = Int.random(in: 1...8, using: &random)
        return (0..<count).map { number in
            item(
                "i\(number)",
                after: (0..<number).filter { _ in Int.random(in: 0..<3, using: &random) == 0 }
                    .map { "i\($0)" }, critical: Bool.random(using: &random),
                required: Int.random(in: 0..<4, using: &random) == 0,
                takes: Bool.random(using: &random) ? Int64(number) * 10 : nil)
        }.shuffled(using: &random)
    }
}
