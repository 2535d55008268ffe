import FleetWire
import Glibc
import Testing

@testable import HostSnapshots

/// A small world that is the same before each run: a root with a component and a neighbour, and a
/// store. An operation is run in it with one fault, and what it leaves is what the next process
/// finds.
final class CrashWorld {
    /// What one run came to.
    struct Outcome {
        var fault: Fault
        var number: Int
        /// False: the operation ended before the fault's call.
        var isReached: Bool
        /// Nil if the operation returned.
        var error: (any Error)?
        var trace: String
        /// What the world held when the next process found it.
        var image: TreeImage

        var isDone: Bool { error == nil }
        var title: String {
            "\(fault) at call \(number); \(error.map { "it threw: \($0)" } ?? "it returned")\n"
                + "  \(trace)"
        }
    }

    let scratch: Scratch
    private let start: TreeImage
    private let startActive: Set<String>

    /// `prepare` makes the world; the neighbour `/outside` is there already.
    init(_ prepare: (Scratch) throws -> Void) throws {
        scratch = try Scratch(inMemory: true)
        try prepare(scratch)
        start = try TreeImage(reading: scratch.path)
        startActive = scratch.services.active
    }

    /// Runs `act` with the fault at the call `number`.
    func run(_ fault: Fault, at number: Int, _ act: (PointStore) throws -> Void) throws -> Outcome {
        try replace(with: start)
        scratch.services.active = startActive
        let layer = try FaultLayer(fault, at: number, below: scratch.path)
        scratch.services.isDead = { layer.isStopped }
        var failure: (any Error)?
        do {
            try act(
                try PointStore(
                    directory: scratch.path + "/points", root: scratch.root,
                    services: scratch.services, calls: FileCalls(layer)))
        } catch {
            failure = error
        }
        scratch.services.isDead = { false }
        if fault.isDeadly {
            var left = try layer.remains() ?? TreeImage(reading: scratch.path)
            left.giveScratchToADeadProcess()
            try replace(with: left)
        }
        return Outcome(
            fault: fault, number: number, isReached: layer.isReached, error: failure,
            trace: layer.trace, image: try TreeImage(reading: scratch.path))
    }

    /// Runs `act` with the fault at each call until it ends before it, or at each `stride`th.
    /// `problems` looks at what was left, one sentence each. Gives the number of runs.
    @discardableResult
    func sweep(
        _ fault: Fault, stride: Int = 1, _ act: (PointStore) throws -> Void,
        problems: (Outcome) throws -> [String]
    ) throws -> Int {
        let step = Self.isExhaustive ? 1 : stride
        var runs = 0
        for number in Swift.stride(from: 1, to: 100_000, by: step) {
            let outcome = try run(fault, at: number, act)
            runs += 1
            var found: [String]
            do { found = try problems(outcome) } catch { found = ["\(error)"] }
            if fault.isHarmless, let error = outcome.error { found.append("\(error)") }
            if let error = outcome.error, !(error is PointError) {
                found.append("not a PointError")
            }
            #expect(
                found.isEmpty, "\(found.joined(separator: "\n")) after \(outcome.title)")
            if !outcome.isReached { return runs }
        }
        Issue.record("\(fault): the operation never ended")
        return runs
    }

    /// BELAY_EXHAUSTIVE=1: every call and every seed, instead of a fixed part of them.
    static var isExhaustive: Bool { getenv("BELAY_EXHAUSTIVE") != nil }

    /// The power losses to try.
    static func losses(_ seeds: UInt64) -> [Fault] {
        let count = isExhaustive ? seeds * 10 : seeds
        return (1...count).map { .losesPower(.weak, seed: $0) }
            + (1...count).map { .losesPower(.ordered, seed: $0) }
    }

    /// Makes the world what it was at first.
    func reset() throws { try replace(with: start) }

    private func replace(with image: TreeImage) throws {
        try TreeImage.empty(Array(scratch.path.utf8))
        try image.write(to: scratch.path)
    }
}

extension TreeImage {
    /// The process that wrote is gone, so its scratch must bear the id of one that is gone: here
    /// the test lives on.
    mutating func giveScratchToADeadProcess() {
        let mine = Array(".\(getpid())".utf8)
        for (number, node) in nodes where node.kind == S_IFDIR {
            for (name, child) in node.entries where name.count > mine.count {
                guard name.suffix(mine.count).elementsEqual(mine) else { continue }
                nodes[number]?.entries[name] = nil
                // Above the highest id that Linux gives.
                nodes[number]?.entries[name.dropLast(mine.count) + Array(".4194999".utf8)] = child
            }
        }
    }
}
