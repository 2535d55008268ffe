import FleetWire
import Glibc
import Testing

@testable import HostSnapshots

/// A prune or a repair that is cut at each of its system calls leaves every point that stays whole,
/// and the next one ends it.
@Suite struct StoreCrashTests {
    private static let faults: [Fault] =
        [.fails, .interrupts, .shortens, .tears, .stops, .tearsAndStops] + CrashWorld.losses(3)

    private static func noise(_ count: Int, seed: UInt64) -> String {
        var random = RandomTree(state: seed)
        return (0..<count).map { _ in String(random.next(36), radix: 36) }.joined()
    }

    /// Three points; much of what the first holds nobody needs without it.
    private func threePoints(_ scratch: Scratch) throws {
        try CrashTree.make(scratch.root)
        try CrashTree.file(scratch.root + "/tree/bulk", Self.noise(60_000, seed: 7), 0o644)
        _ = try take(scratch.store(), "p1", [CrashTree.spec()])
        try CrashTree.change(scratch.root)
        unlink(scratch.root + "/tree/bulk")
        try CrashTree.file(scratch.root + "/tree/second-bulk", Self.noise(900, seed: 8), 0o644)
        _ = try take(scratch.store(), "p2", [CrashTree.spec()])
        unlink(scratch.root + "/tree/second-bulk")
        try CrashTree.file(scratch.root + "/tree/last", Self.noise(900, seed: 9), 0o644)
        _ = try take(scratch.store(), "p3", [CrashTree.spec()])
    }

    private func prune(_ store: PointStore) throws {
        _ = try store.prune(
            keeping: PointRetention(count: 1), inUse: [],
            now: Timestamp(milliseconds: 1_700_000_000_124))
    }

    @Test func aPrune() throws {
        let world = try CrashWorld(threePoints)
        let spec = try CrashTree.spec()
        let root = try TreeImage(reading: world.scratch.path).lines("/root")
        for fault in Self.faults {
            let runs = try world.sweep(fault, prune) { outcome in
                var problems = outcome.image.lines("/root") == root ? [] : ["the root changed"]
                let (points, found) = try world.storeProblems()
                problems += found
                if points.last != "p3" { problems.append("p3 is lost: \(points)") }
                // What cannot be read for a moment is left alone, and so is what may be needed.
                if outcome.isDone, !outcome.fault.mayLeaveMore, points != ["p3"] {
                    problems.append("points: \(points)")
                }
                try prune(try world.scratch.store())
                let again = try world.storeProblems()
                problems += again.problems
                if again.points != ["p3"] { problems.append("then points: \(again.points)") }
                let image = try TreeImage(reading: world.scratch.path)
                problems += image.scratchNames().map { "\($0) is left over" }
                let stored = image.lines("/points/packs").filter { $0.hasPrefix("/points/packs/") }
                let bytes = stored.compactMap { Self.size(of: $0) }.reduce(0, +)
                if bytes > 20_000 { problems.append("\(bytes) bytes are left in packs") }
                if outcome.number % 5 == 0 { problems += try world.nextCaptureProblems([spec]) }
                return problems
            }
            #expect(runs > 1, "\(fault) happened nowhere")
        }
    }

    @Test func aRepair() throws {
        let world = try CrashWorld { scratch in
            try threePoints(scratch)
            // One byte of what the live tree still holds, in the midst of the last pack's records.
            let packs = scratch.path + "/points/packs"
            let image = try TreeImage(reading: packs)
            for (name, number) in image.nodes[image.top]?.entries ?? [:] {
                guard let content = image.nodes[number]?.content else { continue }
                let file = open(packs + "/" + String(decoding: name, as: UTF8.self), O_WRONLY)
                pwrite(file, [content[80] ^ 0xFF], 1, 80)
                close(file)
            }
        }
        let root = try TreeImage(reading: world.scratch.path).lines("/root")
        let damage = Set(try world.storeProblems().problems)
        #expect(!damage.isEmpty)
        var left: Set<String>?
        for fault in Self.faults {
            let runs = try world.sweep(fault, stride: fault.isDeadly ? 1 : 3) {
                _ = try $0.repair()
            } problems: { outcome in
                var problems = outcome.image.lines("/root") == root ? [] : ["the root changed"]
                let (points, found) = try world.storeProblems()
                problems += Set(found.map(Self.withoutPack))
                    .subtracting(damage.map(Self.withoutPack)).map { "new: " + $0 }
                if points != ["p1", "p2", "p3"] { problems.append("points: \(points)") }
                _ = try world.scratch.store().repair()
                let after = Set(try world.storeProblems().problems.map(Self.withoutPack))
                left = left ?? after
                if after != left { problems.append("then \(after), not \(left ?? [])") }
                problems += try TreeImage(reading: world.scratch.path).scratchNames()
                return problems
            }
            #expect(runs > 1, "\(fault) happened nowhere")
        }
        // What only the live tree of an earlier point held cannot come back; the last point can.
        #expect(left?.contains { $0.hasPrefix("p3") } == false, "\(left ?? [])")
    }

    private static func size(of line: String) -> Int? {
        line.split(separator: " ").first { $0.hasPrefix("size=") }.flatMap { Int($0.dropFirst(5)) }
    }

    /// The point and the path of a sentence about damage; packs change their names.
    private static func withoutPack(_ text: String) -> String {
        text.split(separator: ":").prefix(2).joined(separator: ":")
    }
}

extension Fault {
    /// True if an operation may end well and leave things for the next.
    fileprivate var mayLeaveMore: Bool {
        switch self {
        case .fails: true
        case .interrupts, .shortens, .tears, .stops, .tearsAndStops, .losesPower: false
        }
    }
}
