import FleetWire
import Glibc
import Testing

@testable import HostSnapshots

@Suite struct WalkAheadTests {
    /// Directories wide, deep and empty; one with more names than are looked at beforehand; links
    /// to directories, and one that is excluded.
    private func fill(_ scratch: Scratch) throws {
        func grow(_ path: String, _ depth: Int) throws {
            mkdir(scratch.root + path, 0o755)
            for file in 0..<3 { try scratch.write("\(path)/f\(file)", "\(path) \(file)") }
            symlink("d0", scratch.root + "\(path)/link")
            mkdir(scratch.root + "\(path)/empty", 0o700)
            guard depth > 0 else { return }
            for folder in 0..<11 { try grow("\(path)/d\(folder)", depth - 1) }
        }
        try grow("/t", 2)
        var deep = "/t/deep"
        for _ in 0..<80 {
            mkdir(scratch.root + deep, 0o755)
            mkdir(scratch.root + deep + "/beside", 0o755)
            deep += "/deep"
        }
        mkdir(scratch.root + "/t/wide", 0o755)
        for file in 0..<1030 { mkdir(scratch.root + "/t/wide/\(file)", 0o755) }
        mkdir(scratch.root + "/t/left-out", 0o755)
        try scratch.write("/t/left-out/file", "")
    }

    @Test func aWalkThatLooksAheadFindsWhatOneInOrderFinds() throws {
        let scratch = try Scratch()
        try fill(scratch)
        let spec = try files("/t", exclude: ["left-out"])
        let inOrder = try scratch.alone().reader(HashingSink(), nil).entries(of: spec)
        #expect(inOrder.count > 1800)
        #expect(!inOrder.contains { $0.path.elementsEqual("/t/left-out/file".utf8) })
        let reader = try scratch.store().reader(HashingSink(), nil)
        for _ in 0..<5 { #expect(try reader.entries(of: spec) == inOrder) }
    }

    /// What was looked at beforehand holds no files open that the walk has left behind.
    @Test func aWalkThatEndsEarlyLeavesNothingOpen() throws {
        let scratch = try Scratch()
        try fill(scratch)
        let spec = try files("/t")
        let reader = try scratch.store().reader(HashingSink(), nil)
        let before = try openFiles()
        for last in stride(from: 1, to: 400, by: 57) {
            var count = 0
            #expect(throws: Ended.self) {
                try reader.read(spec) { _ in
                    count += 1
                    if count == last { throw Ended() }
                }
            }
        }
        #expect(try openFiles() <= before + 8)
    }

    private struct Ended: Error {}

    private func openFiles() throws -> Int {
        let folder = Descriptor(open("/proc/self/fd", O_RDONLY | O_DIRECTORY))
        return try DirectoryNames(folder, []).count
    }
}
