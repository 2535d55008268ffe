import Foundation
import Testing

@testable import belay_bench

@Suite("Trees that a seed gives again")
struct TreeShapeTests {
    private static let shape = TreeShape(
        name: "A", files: 240, sizes: .pareto(total: 2_000_000, most: 200_000), seed: 41)

    @Test("Tree A has 160 MB in 20,000 files, most of them in few")
    func treeA() {
        let sizes = TreeShape.many(quick: false).allSizes().sorted(by: >)
        #expect(sizes.count == 20_000)
        let total = sizes.reduce(0, +)
        #expect(abs(total - 160_000_000) < 400_000, "\(total)")
        #expect(sizes.prefix(2_000).reduce(0, +) > total / 2)
        #expect(sizes[0] <= 16_000_000)
        #expect((sizes.last ?? 0) >= 1)
    }

    @Test("Tree B has 200,000 files of 1 to 8 KiB, tree C one of 4 GB")
    func treesBAndC() {
        let small = TreeShape.small(quick: false).allSizes()
        #expect(small.count == 200_000)
        #expect(small.allSatisfy { (1_024...8_192).contains($0) })
        #expect(small.min() == 1_024)
        #expect(small.max() == 8_192)
        #expect(TreeShape.large(quick: false).allSizes() == [4_000_000_000])
    }

    @Test("No two files have one path")
    func paths() {
        let shape = TreeShape.small(quick: true)
        #expect(Set((0..<shape.files).map(shape.path)).count == shape.files)
    }

    @Test("Two trees of one seed are equal in all that counts, one of another seed is not")
    func reproducible() throws {
        let folder = try Scratch()
        defer { folder.remove() }
        try TreeMaker(shape: Self.shape, top: folder.path("one")).make()
        try TreeMaker(shape: Self.shape, top: folder.path("two")).make()
        let other = TreeShape(
            name: "A", files: Self.shape.files, sizes: Self.shape.sizes, seed: 99)
        try TreeMaker(shape: other, top: folder.path("three")).make()
        let one = try TreeDigest(of: folder.path("one"))
        #expect(one == (try TreeDigest(of: folder.path("two"))))
        #expect(one != (try TreeDigest(of: folder.path("three"))))
        // 240 files, three directories of them, the one above, and the top.
        #expect(one.entries == 245)
    }

    @Test("A digest notices a byte, a time, a mode, a name, an empty directory and a link")
    func digestNotices() throws {
        let folder = try Scratch()
        defer { folder.remove() }
        let top = folder.path("tree")
        let maker = TreeMaker(shape: Self.shape, top: top)
        try maker.make()
        let file = "\(top)/\(Self.shape.path(3))"
        var known: Set<UInt64> = [try TreeDigest(of: top).value]
        func expectNew(_ what: String, _ change: () throws -> Void) throws {
            try change()
            #expect(known.insert(try TreeDigest(of: top).value).inserted, "\(what)")
        }
        var time = stat()
        #expect(lstat(file, &time) == 0)
        try expectNew("a byte, with the time set back") {
            var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
            bytes[bytes.count - 1] ^= 1
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: file))
            try handle.write(contentsOf: bytes)
            try handle.close()
            #expect(utimensat(AT_FDCWD, file, [time.st_atim, time.st_mtim], 0) == 0)
        }
        try expectNew("a nanosecond") {
            var later = time.st_mtim
            later.tv_nsec += 1
            #expect(utimensat(AT_FDCWD, file, [time.st_atim, later], 0) == 0)
        }
        try expectNew("a mode") { #expect(chmod(file, 0o600) == 0) }
        try expectNew("a name") { #expect(rename(file, file + "x") == 0) }
        try expectNew("a directory") { #expect(mkdir("\(top)/empty", 0o755) == 0) }
        try expectNew("a link") { #expect(symlink("nowhere", "\(top)/link") == 0) }
    }

    @Test("One percent of the files change, others in each round, and the same ones again")
    func onePercent() throws {
        let folder = try Scratch()
        defer { folder.remove() }
        let maker = TreeMaker(shape: Self.shape, top: folder.path("tree"))
        try maker.make()
        func stale() throws -> Set<Int> {
            var found: Set<Int> = []
            for file in 0..<Self.shape.files {
                var status = stat()
                try #require(lstat("\(maker.top)/\(Self.shape.path(file))", &status) == 0)
                #expect(Int(status.st_size) == Self.shape.allSizes()[file])
                if status.st_mtim.tv_sec > 1_767_225_600 + 1_000 { found.insert(file) }
            }
            return found
        }
        #expect(try maker.changeOnePercent(round: 0) == 2)
        let first = try stale()
        #expect(first.count == 2)
        #expect(try maker.changeOnePercent(round: 0) == 2)
        #expect(try stale() == first)
        #expect(try maker.changeOnePercent(round: 1) == 2)
        #expect(try stale() != first)
    }

    @Test("The ranges of tree C are 1 % of it, apart from each other, within it, on whole pages")
    func ranges() {
        let size = 4_000_000_000
        let offsets = TreeMaker.ranges(size: size, seed: 43, round: 0)
        #expect(offsets.count == 39)
        #expect(offsets.allSatisfy { $0.isMultiple(of: 4_096) })
        #expect(zip(offsets, offsets.dropFirst()).allSatisfy { $0 + TreeMaker.rangeBytes <= $1 })
        #expect((offsets.last ?? size) + TreeMaker.rangeBytes <= size)
        #expect(offsets == TreeMaker.ranges(size: size, seed: 43, round: 0))
        #expect(offsets != TreeMaker.ranges(size: size, seed: 43, round: 1))
    }
}
