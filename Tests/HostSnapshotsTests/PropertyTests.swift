import FleetWire
import Foundation
import Glibc
import Testing

@testable import HostSnapshots

/// Trees at random of everything that a tree can hold are captured, changed at random, captured
/// again, restored to the first point and then to the second: each time all contents and metadata
/// are again what they were, by a look that owes nothing to the code under test.
@Suite struct PropertyTests {
    /// BELAY_SEEDS sets how many.
    private static var seeds: ClosedRange<Int> {
        1...max(1, getenv("BELAY_SEEDS").flatMap { Int(String(cString: $0)) } ?? 100)
    }

    @Test func everyTreeComesBackExactly() throws {
        for seed in Self.seeds {
            do {
                let problems = try problems(seed)
                #expect(problems.isEmpty, "seed \(seed): \(problems.prefix(6))")
            } catch {
                Issue.record("seed \(seed): \(error)")
            }
        }
    }

    private func problems(_ seed: Int) throws -> [String] {
        // Some on a real disk, whose file system has other limits and other holes.
        let scratch = try Scratch(inMemory: seed % 10 != 0)
        var random = RandomTree(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15)
        let tree = Array((scratch.root + "/tree").utf8)
        mkdir(scratch.root + "/tree", 0o755)
        mkdir(scratch.root + "/outside", 0o755)
        try scratch.write("/outside/file", "outside")
        random.grow(tree, depth: 0, count: 20)
        if seed % 20 == 1 { random.growExtremes(tree) }
        let store = try scratch.store()
        let spec = try files("/tree", exclude: ["skip-*"])
        let outside = try scratch.view("/outside")
        let before = try View(scratch)
        let state = try store.stateDigest([spec])
        let first = try take(store, "p1", [spec])
        var problems = before.all == (try View(scratch).all) ? [] : ["a capture changed the tree"]
        try random.mutate(tree)
        let changed = try View(scratch)
        let second = try take(store, "p2", [spec])
        _ = try store.restore(point: first.id)
        var after = try View(scratch)
        problems += after.difference(before)
        problems += after.lostExcluded(of: changed, captured: before)
        if try store.stateDigest([spec]) != state { problems.append("the digest differs") }
        let again = try store.restore(point: first.id)
        if again.changed + again.removed > 0 { problems.append("a second restore changed things") }
        _ = try store.restore(point: second.id)
        after = try View(scratch)
        problems += after.difference(changed).map { "back: " + $0 }
        if try scratch.view("/outside") != outside { problems.append("the neighbour changed") }
        for point in [first, second] { problems += try store.verify(point.id) }
        return problems
    }

    /// What `/tree` holds, by path.
    private struct View {
        let all: [String]
        /// What is captured: neither excluded nor a socket.
        let captured: [String]
        let excluded: [String: String]
        let folders: Set<String>

        init(_ scratch: Scratch) throws {
            all = try scratch.view("/tree")
            func path(_ line: String) -> String { String(line.prefix { $0 != " " }) }
            func isExcluded(_ line: String) -> Bool { line.contains("/skip-") }
            func isSocket(_ line: String) -> Bool {
                let words = line.split(separator: " ")
                return words.count > 1 && words[1].count == 6 && words[1].hasPrefix("14")
            }
            captured = all.filter {
                !isExcluded($0) && !isSocket($0)
            }
            folders = Set(
                all.filter { $0.dropFirst(path($0).count).hasPrefix(" 4") }.map(path))
            excluded = Dictionary(
                all.filter(isExcluded).map { (path($0), $0) }, uniquingKeysWith: { one, _ in one })
        }

        func difference(_ wanted: View) -> [String] {
            if captured == wanted.captured { return [] }
            return Set(captured).subtracting(wanted.captured).map { "found " + $0 }
                + Set(wanted.captured).subtracting(captured).map { "wanted " + $0 }
                + (Set(captured) == Set(wanted.captured) ? ["order or count"] : [])
        }

        /// Excluded things stay as they are where the directory that holds them was captured.
        func lostExcluded(of changed: View, captured: View) -> [String] {
            changed.excluded.compactMap { path, line in
                let top = path[..<(path.range(of: "/skip-")?.lowerBound ?? path.endIndex)]
                let folder = String(top)
                guard captured.folders.contains(folder), changed.folders.contains(folder),
                    excluded[path] != line
                else { return nil }
                return "the excluded \(line) became \(excluded[path] ?? "nothing")"
            }
        }
    }
}
