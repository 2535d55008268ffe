import FleetWire
import Glibc
import Testing

@testable import HostSnapshots

/// One component in a crash world, and the sweeps that every component must stand.
struct ComponentCrash {
    let world: CrashWorld
    let spec: ComponentSpec
    /// What the component is, one line each, by other means than its driver's.
    let view: () throws -> [String]
    /// True if a view may change what it looks at.
    var isIntrusive = false
    /// What is wrong with a view that is not the captured one, after a restore that did not end.
    var between: ([String]) -> [String] = { _ in [] }
    /// Bytes that must never stand in the store.
    var secret: String?

    /// The files below `paths`, all their metadata.
    static func files(_ world: CrashWorld, _ paths: String...) -> () throws -> [String] {
        {
            let image = try TreeImage(reading: world.scratch.path)
            return paths.flatMap { image.lines("/root" + $0) }
        }
    }

    /// Cuts the capture of a point `p2` beside those that are there.
    func sweepCapture(_ faults: [Fault], stride: Int = 1) throws {
        try world.reset()
        let earlier = try world.store().list().map(\.id.rawValue)
        let before = try look()
        let outside = try neighbour()
        for fault in faults {
            let runs = try world.sweep(fault, stride: stride) {
                _ = try take($0, "p2", [spec])
            } problems: { outcome in
                var problems = Self.difference(try look(), before)
                if outcome.neighbour() != outside { problems.append("the neighbour changed") }
                let (points, found) = try world.storeProblems()
                problems += found
                if points.filter({ $0 != "p2" }) != earlier { problems.append("points: \(points)") }
                if outcome.isDone, !points.contains("p2") { problems.append("p2 is lost") }
                if !outcome.fault.isDeadly, !outcome.trace.contains("remove") {
                    problems += outcome.image.scratchNames().map { "\($0) is left over at once" }
                }
                return problems + shown(outcome) + (try world.nextCaptureProblems([spec]))
            }
            #expect(runs > 1, "\(fault) happened nowhere")
        }
    }

    /// Cuts a restore of the only point, `p1`, which holds `captured`.
    func sweepRestore(to captured: [String], _ faults: [Fault], stride: Int = 1) throws {
        try world.reset()
        let outside = try neighbour()
        for fault in faults {
            let runs = try world.sweep(fault, stride: stride) {
                _ = try $0.restore(point: PointID(unchecked: "p1"))
            } problems: { outcome in
                var problems: [String] = []
                if outcome.neighbour() != outside { problems.append("the neighbour changed") }
                let found = try look()
                problems += outcome.isDone ? Self.difference(found, captured) : between(found)
                let (points, troubles) = try world.storeProblems()
                problems += troubles + shown(outcome)
                if points != ["p1"] { problems.append("points: \(points)") }
                _ = try world.store().restore(point: PointID(unchecked: "p1"))
                problems += Self.difference(try look(), captured).map { "then " + $0 }
                if try neighbour() != outside { problems.append("then the neighbour") }
                problems += try TreeImage(reading: world.scratch.path).scratchNames()
                    .filter { $0.hasPrefix("/root/") }.map { "then \($0) is left over" }
                if outcome.number % 5 == 0 { problems += try world.nextCaptureProblems([spec]) }
                return problems
            }
            #expect(runs > 1, "\(fault) happened nowhere")
        }
    }

    private func look() throws -> [String] { try isIntrusive ? world.peek(view) : view() }

    private func neighbour() throws -> [String] {
        try TreeImage(reading: world.scratch.path).lines("/root/outside")
    }

    private func shown(_ outcome: CrashWorld.Outcome) -> [String] {
        guard let secret else { return [] }
        return outcome.image.files(holding: Array(secret.utf8), below: "/points")
            .map { "\($0) shows the secret" }
    }

    /// What is there and should not be, and the reverse.
    static func difference(_ found: [String], _ wanted: [String]) -> [String] {
        if found == wanted { return [] }
        return Set(found).subtracting(wanted).map { "found " + $0 }
            + Set(wanted).subtracting(found).map { "wanted " + $0 }
            + ["\(found.count) lines, wanted \(wanted.count)"]
    }

    /// What is neither `old` nor `new`, where all changes at one moment.
    static func either(_ old: [String], _ new: [String]) -> ([String]) -> [String] {
        { found in
            if found == old || found == new { return [] }
            return ["neither the old nor the captured state:"] + difference(found, new)
        }
    }

    /// Which files are neither those of `old` nor those of `new`, where each changes on its own.
    static func eachEither(_ old: [String], _ new: [String]) -> ([String]) -> [String] {
        let allowed = contents(old).merging(contents(new)) { $0.union($1) }
        return { found in
            contents(found).compactMap { path, found in
                if path.contains(".belay~") || found.isSubset(of: allowed[path] ?? []) {
                    return nil
                }
                return "\(path) is neither the old nor the captured one: \(found)"
            }
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
}

extension TreeImage {
    /// The regular files below `path` whose bytes hold `bytes`.
    func files(holding bytes: [UInt8], below path: String) -> [String] {
        var number = top
        for name in path.split(separator: "/") {
            guard let next = nodes[number]?.entries[Array(name.utf8)] else { return [] }
            number = next
        }
        guard let node = nodes[number] else { return [] }
        let isFound = node.content.firstRange(of: bytes) != nil
        return (isFound ? [path] : [])
            + node.entries.keys.flatMap {
                files(holding: bytes, below: path + "/" + String(decoding: $0, as: UTF8.self))
            }
    }
}
