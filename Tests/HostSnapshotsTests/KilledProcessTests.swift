import FleetWire
import Foundation
import Glibc
import Testing

@testable import HostSnapshots

/// A process that captures, changes, restores and prunes without end is killed at random moments:
/// each time all points are whole, the first one comes back exactly, and nothing beside it changed.
@Suite struct KilledProcessTests {
    /// Names the scratch of the process that is to be killed.
    private static let variable = "BELAY_WORK_TO_KILL"

    @Test(arguments: 1...5)
    func whatAKilledProcessLeavesIsWhole(seed: Int) throws {
        let scratch = try Scratch()
        var random = RandomTree(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15)
        try CrashTree.makeNeighbour(scratch.root)
        mkdir(scratch.root + "/tree", 0o755)
        random.grow(Array((scratch.root + "/tree").utf8), depth: 0, count: 40)
        let outside = try scratch.view("/outside")
        let spec = try files("/tree")
        let first = try take(scratch.store(), "p0", [spec])
        let before = try scratch.viewWithoutSockets("/tree")
        for round in 1...3 {
            let child = try start(scratch, seed: seed * 10 + round)
            defer {
                kill(child, SIGKILL)
                waitpid(child, nil, 0)
            }
            let begun = ContinuousClock.now
            while access(scratch.path + "/begun", F_OK) != 0 {
                try #require(ContinuousClock.now - begun < .seconds(60), "it did not begin")
                usleep(500)
            }
            unlink(scratch.path + "/begun")
            // Not to wait for anything: the moment is what is tried.
            usleep(useconds_t(1000 * random.next(400)))
            kill(child, SIGKILL)
            waitpid(child, nil, 0)
            let log =
                (try? String(contentsOfFile: scratch.path + "/trouble", encoding: .utf8)) ?? ""
            #expect(log.isEmpty, "seed \(seed): \(log)")
            let store = try scratch.store()
            let points = try store.list()
            #expect(points.contains { $0.id == first.id }, "seed \(seed), round \(round)")
            for point in points {
                #expect(
                    try store.verify(point.id, deep: true) == [],
                    "seed \(seed), round \(round): \(point)")
            }
            _ = try store.restore(point: first.id)
            let problems = Scratch.difference(try scratch.viewWithoutSockets("/tree"), before)
            #expect(problems.isEmpty, "seed \(seed), round \(round)")
            #expect(try scratch.view("/outside") == outside, "seed \(seed), round \(round)")
            _ = try take(store, "after\(round)", [spec])
            let left = try TreeImage(reading: scratch.path + "/points").scratchNames()
            #expect(left == [], "seed \(seed)")
        }
    }

    /// This program again, which then runs the work alone.
    private func start(_ scratch: Scratch, seed: Int) throws -> pid_t {
        try Self.start("WorkToKill", "\(Self.variable)=\(seed) \(scratch.path)")
    }

    /// This program again, which runs the tests of `suite` with one variable more.
    static func start(_ suite: String, _ variable: String) throws -> pid_t {
        let arguments = [
            "/proc/self/exe", "--testing-library", "swift-testing", "--no-parallel", "--filter",
            suite,
        ]
        let added = [variable]
        let environment = ProcessInfo.processInfo.environment.map { "\($0)=\($1)" } + added
        var argv = arguments.map { strdup($0) } + [nil]
        var envp = environment.map { strdup($0) } + [nil]
        defer { for text in argv + envp { free(text) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for number in [1, 2] as [Int32] {
            posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_WRONLY, 0)
        }
        var child: pid_t = 0
        let code = posix_spawn(&child, "/proc/self/exe", &actions, nil, &argv, &envp)
        guard code == 0 else { throw TestFailure("start the work: \(code)") }
        return child
    }

    /// The seed and the scratch of the process that is this one, if it is to be killed.
    static var work: (seed: Int, path: String)? {
        guard let text = getenv(variable).map({ String(cString: $0) }),
            let space = text.firstIndex(of: " "), let seed = Int(text[..<space])
        else { return nil }
        return (seed, String(text[text.index(after: space)...]))
    }
}

@Suite struct WorkToKill {
    @Test(.enabled(if: KilledProcessTests.work != nil, "it is what KilledProcessTests kills"))
    func captureChangeRestorePrune() throws {
        guard let (seed, path) = KilledProcessTests.work else { return }
        var random = RandomTree(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15)
        let store = try PointStore(
            directory: path + "/points", root: path + "/root", services: RecordedServices())
        let first = PointID(unchecked: "p0")
        let spec = try files("/tree")
        try Data().write(to: URL(fileURLWithPath: path + "/begun"))
        let deadline = ContinuousClock.now + .seconds(60)
        var number = 0
        while ContinuousClock.now < deadline {
            number += 1
            do {
                _ = try take(store, "p\(seed)-\(number)", [spec])
                try random.mutate(Array((path + "/root/tree").utf8))
                if number % 2 == 0 { _ = try store.restore(point: first) }
                _ = try store.prune(
                    keeping: PointRetention(count: 2), inUse: [first],
                    now: Timestamp(milliseconds: 1_700_000_000_124))
            } catch {
                try Data("\(error)".utf8).write(to: URL(fileURLWithPath: path + "/trouble"))
                throw error
            }
        }
    }
}
