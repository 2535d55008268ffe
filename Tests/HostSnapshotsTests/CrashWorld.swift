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
    /// Calls that the world's file system does not know.
    var refused: Set<FileCall.Kind> = []
    private let services: any CrashServices
    private let start: TreeImage
    private let startServices: () -> Void

    /// `prepare` makes the world.
    init(
        _ scratch: Scratch? = nil, services: (any CrashServices)? = nil,
        _ prepare: (Scratch) throws -> Void
    ) throws {
        self.scratch = try scratch ?? Scratch(inMemory: true)
        self.services = services ?? self.scratch.services
        try prepare(self.scratch)
        start = try TreeImage(reading: self.scratch.path)
        startServices = self.services.remembered()
    }

    /// The store, as a process opens it to which nothing happens unless `calls` say so.
    func store(_ calls: FileCalls = .system) throws -> PointStore {
        try PointStore(
            directory: scratch.path + "/points", root: scratch.root, services: services,
            calls: calls)
    }

    /// Runs `act` with the fault at the call `number`.
    func run(_ fault: Fault, at number: Int, _ act: (PointStore) throws -> Void) throws -> Outcome {
        try reset()
        let layer = try FaultLayer(fault, at: number, below: scratch.path, refusing: refused)
        services.isDead = { layer.isStopped }
        var failure: (any Error)?
        func attempt() {
            failure = nil
            do { try act(try store(FileCalls(layer))) } catch { failure = error }
        }
        attempt()
        if case .losesPowerLater = fault, layer.isStopped {
            try TreeImage.giveScratchToADeadProcess(below: scratch.path + "/points")
            layer.revive()
            attempt()
        }
        services.isDead = { false }
        if fault.isDeadly {
            var left = try layer.remains() ?? TreeImage(reading: scratch.path)
            left.giveScratchToADeadProcess()
            try replace(with: left)
        }
        if fault.cut != nil { try services.boot() }
        return Outcome(
            fault: fault, number: number, isReached: layer.isReached, error: failure,
            trace: layer.trace, image: try TreeImage(reading: scratch.path))
    }

    /// What `body` finds, which may change what it looks at: the world is then again as it was.
    func peek<Result>(_ body: () throws -> Result) throws -> Result {
        let now = try TreeImage(reading: scratch.path)
        let result = try body()
        try replace(with: now)
        return result
    }

    /// Runs `act` with the fault at each call until it ends before it, or at each `stride`th, from
    /// another one on for each fault. `problems` looks at what was left, one sentence each. Gives the
    /// number of runs.
    @discardableResult
    func sweep(
        _ fault: Fault, stride: Int = 1, _ act: (PointStore) throws -> Void,
        problems: (Outcome) throws -> [String]
    ) throws -> Int {
        let step = Self.isExhaustive || !fault.isFrequent ? 1 : stride
        var runs = 0
        for number in Swift.stride(from: 1 + fault.phase % step, to: 100_000, by: step) {
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
            + (1...count).map { .losesPowerLater(.weak, seed: $0) }
    }

    /// All that can happen, and power losses with so many seeds.
    static func faults(losses seeds: UInt64) -> [Fault] {
        [.fails, .interrupts, .shortens, .tears, .stops, .tearsAndStops] + losses(seeds)
    }

    /// Makes the world what it was at first.
    func reset() throws {
        try replace(with: start)
        startServices()
    }

    private func replace(with image: TreeImage) throws {
        try TreeImage.empty(Array(scratch.path.utf8))
        try image.write(to: scratch.path)
    }
}

/// Services of a crash world: they outlive the process that is cut, but not the machine.
protocol CrashServices: ServiceControlling, AnyObject {
    /// True while the process that asks is dead, which then changes nothing.
    var isDead: () -> Bool { get set }
    /// Makes them again what they are now.
    func remembered() -> () -> Void
    /// The machine starts after its power went.
    func boot() throws
}

extension RecordedServices: CrashServices {
    func remembered() -> () -> Void {
        let active = active
        return { self.active = active }
    }

    /// Nothing is known of what starts them.
    func boot() {}
}

extension TreeImage {
    /// The process that wrote is gone, so its scratch must bear the id of one that is gone: here
    /// the test lives on.
    mutating func giveScratchToADeadProcess() {
        for (number, node) in nodes where node.kind == S_IFDIR {
            for (name, child) in node.entries {
                guard let other = Self.nameOfADeadProcess(name) else { continue }
                nodes[number]?.entries[name] = nil
                nodes[number]?.entries[other] = child
            }
        }
    }

    /// The same for what stands below the directory `path`.
    static func giveScratchToADeadProcess(below path: String) throws {
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // The process may have died before it made the directory.
        guard folder >= 0 else { return }
        defer { close(folder) }
        for name in try names(folder) {
            let text = String(decoding: name, as: UTF8.self)
            if let other = nameOfADeadProcess(name) {
                rename(path + "/" + text, path + "/" + String(decoding: other, as: UTF8.self))
            } else if try read(folder, name)?.1.kind == S_IFDIR {
                try giveScratchToADeadProcess(below: path + "/" + text)
            }
        }
    }

    /// Nil if `name` bears not this process' id.
    private static func nameOfADeadProcess(_ name: [UInt8]) -> [UInt8]? {
        let mine = Array(".\(getpid())".utf8)
        guard name.count > mine.count else { return nil }
        for start in stride(from: name.count - mine.count, to: 0, by: -1)
        where name[start...].starts(with: mine) {
            let rest = name[(start + mine.count)...]
            // Programs and SQLite add an ending of their own.
            guard rest.first.map({ [0x2D, 0x2E].contains($0) }) ?? true else { continue }
            // Above the highest id that Linux gives.
            return name[..<start] + Array(".4194999".utf8) + rest
        }
        return nil
    }
}
