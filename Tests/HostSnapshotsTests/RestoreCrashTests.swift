import FleetWire
import Glibc
import Testing

@testable import HostSnapshots

/// A restore that is cut at each of its system calls touches nothing outside, shows no file that is
/// neither the old nor the captured one, and finishes when it is run again; one that returned is
/// exact, even if the power goes.
@Suite struct RestoreCrashTests {
    private static let faults: [Fault] =
        [.fails, .interrupts, .shortens, .tears, .stops, .tearsAndStops] + CrashWorld.losses(2)

    @Test func aTreeThatChangedInEveryWay() throws {
        var captured: [String] = []
        let world = try CrashWorld { scratch in
            try CrashTree.make(scratch.root)
            _ = try take(scratch.store(), "p1", [CrashTree.spec()])
            let image = try TreeImage(reading: scratch.path)
            captured = image.lines("/root/one") + image.lines("/root/tree")
            try CrashTree.change(scratch.root)
        }
        try sweep(world, captured, Self.faults)
    }

    /// Above it there is only the root itself.
    @Test func aTreeAtTheTopThatIsGone() throws {
        var captured: [String] = []
        let world = try CrashWorld { scratch in
            try CrashTree.make(scratch.root)
            _ = try take(scratch.store(), "p1", [CrashTree.spec()])
            let image = try TreeImage(reading: scratch.path)
            captured = image.lines("/root/one") + image.lines("/root/tree")
            try Scratch.erase(Array((scratch.root + "/tree").utf8))
            unlink(scratch.root + "/one")
            try CrashTree.file(scratch.root + "/one", "another one", 0o644)
        }
        try sweep(world, captured, CrashWorld.losses(2))
    }

    private func sweep(_ world: CrashWorld, _ captured: [String], _ faults: [Fault]) throws {
        let spec = try CrashTree.spec()
        let image = try TreeImage(reading: world.scratch.path)
        let outside = image.lines("/root/outside")
        let changed = image.lines("/root/one") + image.lines("/root/tree")
        let contents = Self.contents(captured).merging(Self.contents(changed)) { $0.union($1) }
        for fault in faults {
            let runs = try world.sweep(fault) {
                _ = try $0.restore(point: PointID(unchecked: "p1"))
            } problems: { outcome in
                var problems: [String] = []
                if outcome.neighbour() != outside { problems.append("the neighbour changed") }
                if outcome.isDone { problems += Self.difference(outcome.component(), captured) }
                for (path, found) in Self.contents(outcome.component())
                where !path.contains(".belay~") && !found.isSubset(of: contents[path] ?? []) {
                    problems.append("\(path) is neither the old nor the captured one: \(found)")
                }
                let (points, found) = try world.storeProblems()
                problems += found
                if points != ["p1"] { problems.append("points: \(points)") }
                _ = try world.scratch.store().restore(point: PointID(unchecked: "p1"))
                let again = try TreeImage(reading: world.scratch.path)
                problems += Self.difference(
                    again.lines("/root/one") + again.lines("/root/tree"), captured)
                if again.lines("/root/outside") != outside { problems.append("then the neighbour") }
                problems += again.scratchNames().filter { $0.hasPrefix("/root/") }
                if outcome.number % 5 == 0 { problems += try world.nextCaptureProblems([spec]) }
                return problems
            }
            #expect(runs > 1, "\(fault) happened nowhere")
        }
    }

    /// Of each regular file its size and hash.
    private static func contents(_ lines: [String]) -> [String: Set<String>] {
        var contents: [String: Set<String>] = [:]
        for line in lines {
            let words = line.split(separator: " ")
            guard words.count > 7, words[1].hasPrefix("100") else { continue }
            contents[String(words[0]), default: []].insert("\(words[6]) \(words[7])")
        }
        return contents
    }

    /// What is there and should not be, and the reverse.
    private static func difference(_ found: [String], _ wanted: [String]) -> [String] {
        if found == wanted { return [] }
        return Set(found).subtracting(wanted).map { "found " + $0 }
            + Set(wanted).subtracting(found).map { "wanted " + $0 }
    }
}
