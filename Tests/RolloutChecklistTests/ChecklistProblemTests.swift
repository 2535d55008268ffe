import FleetWire
import RolloutChecklist
import Testing

struct ChecklistProblemTests {
    @Test func `all that is wrong is told at once, with its place`() {
        let items = [
            item("a", after: ["b", "nobody", "b"]), item("b", after: ["c"]),
            item("c", after: ["a"]), item("a"), item("e", after: ["e"]), item("f", after: ["a"]),
        ]
        let found = ChecklistProblem.all(in: items).map {
            "\($0.item).\($0.dependency.map(String.init) ?? "id"): \($0.message)"
        }
        #expect(
            found == [
                "0.0: items depend on each other: `a` on `b` on `c` on `a`",
                "0.1: no item has the id `nobody`",
                "0.2: `b` stands twice among what `a` depends on",
                "3.id: item 1 has the id `a` too",
                "4.0: `e` depends on itself",
            ])
        #expect(Checklist(items) == nil)
    }

    @Test func `two cycles are two problems, and what is behind one is none`() {
        let items = [
            item("z", after: ["a"]), item("a", after: ["b"]), item("b", after: ["a"]),
            item("c", after: ["d"]), item("d", after: ["c", "b"]),
        ]
        #expect(ChecklistProblem.all(in: items).map(\.item) == [1, 3])
    }

    @Test func `items may depend on later ones`() {
        #expect(Checklist([item("a", after: ["b"]), item("b")]) != nil)
    }
}

struct ChecklistProgressTests {
    @Test func `the critical path is the longest of what is left`() throws {
        var driven = try Driven(
            item("a", takes: 60), item("b", after: ["a"], takes: 30),
            item("c", after: ["a"], takes: 100), item("d", after: ["b", "c"]))
        var progress = driven.list.progress(at: driven.now)
        #expect(progress.criticalPath == ["a", "c", "d"])
        #expect(progress.remaining == .seconds(160))
        #expect(progress.unestimated == ["d"])
        #expect(progress.percent == 0)

        try driven.take(.start, "a")
        driven.now = driven.now + .seconds(45)
        #expect(driven.list.progress(at: driven.now).remaining == .seconds(115))
        #expect(driven.list.progress(at: driven.now + .seconds(999)).remaining == .seconds(100))

        try driven.take(.done, "a")
        try driven.take(.skip, "c")
        progress = driven.list.progress(at: driven.now)
        #expect(progress.criticalPath == ["b", "d"])
        #expect(progress.remaining == .seconds(30))
        #expect(progress.counts == ["completed": 1, "skipped": 1, "pending": 2])
        #expect(progress.percent == 50)
    }

    @Test func `only critical items that are not settled hold the rollout`() throws {
        var driven = try Driven(item("a", critical: true), item("b"), item("c", critical: true))
        try driven.bring("a", to: .failed)
        #expect(driven.list.openCritical == [0, 2])
        try driven.bring("c", to: .completed)
        try driven.take(.skip, "a")
        #expect(driven.list.openCritical.isEmpty)
    }
}
