import FleetWire
import Foundation
import Glibc
import Testing

@testable import HostSnapshots

@Suite struct CaptureThreadsTests {
    /// Enough files for several batches, among them large ones, empty ones and copies.
    private func fill(_ scratch: Scratch) throws {
        mkdir(scratch.root + "/t", 0o755)
        for folder in 0..<12 {
            mkdir(scratch.root + "/t/\(folder)", 0o755)
            for file in 0..<70 {
                let text = String(repeating: "\(file) ", count: file * file % 900)
                try scratch.write("/t/\(folder)/\(file)", text)
            }
        }
        let big = Data((0..<5_000_001).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) })
        for file in ["/t/5/big", "/t/7/big"] {
            try big.write(to: URL(fileURLWithPath: scratch.root + file))
        }
    }

    @Test func severalThreadsMakeTheCatalogueOfOne() throws {
        let scratch = try Scratch()
        try fill(scratch)
        let spec = try files("/t")
        let store = try scratch.store()
        let alone = try store.reader(HashingSink(), nil)
        var together = alone
        together.otherSinks = [HashingSink(), HashingSink(), HashingSink()]
        let wanted = try alone.entries(of: spec)
        #expect(wanted.count > 850)
        for _ in 0..<3 { #expect(try together.entries(of: spec) == wanted) }
        let point = try take(store, "p1", [spec])
        #expect(point.components[0].entries == wanted.count)
        #expect(try store.verify(point.id).isEmpty)
        // What two threads meet is stored once.
        let objects = try store.files.names(in: "packs").reduce(0) { sum, name in
            let file = try store.files.open("packs/" + name, O_RDONLY)
            return try sum + PackFormat.records(of: file, path: name).count
        }
        #expect(objects == Set(wanted.flatMap(\.chunks)).count + 1)
    }

    @Test func aFileThatCannotBeReadSteadilyEndsAllThreadsAndLeavesNothing() throws {
        let scratch = try Scratch()
        try fill(scratch)
        let store = try scratch.store()
        let path = scratch.root + "/t/5/big"
        let sinks = (0..<3).map { _ in
            DisturbingSink {
                let file = open(path, O_WRONLY | O_APPEND)
                _ = Glibc.write(file, "x", 1)
                close(file)
            }
        }
        var reader = try store.reader(sinks[0], nil)
        reader.otherSinks = Array(sinks.dropFirst())
        let error = #expect(throws: PointError.self) {
            _ = try reader.entries(of: try files("/t"))
        }
        #expect(error?.subject == "/t/5/big")
    }

    @Test(.enabled(if: geteuid() == 0, "mounting a small file system needs root"))
    func aCaptureThatDoesNotFitIsRefusedBeforeItWritesAByte() throws {
        let scratch = try Scratch()
        mkdir(scratch.path + "/points", 0o700)
        let place = scratch.path + "/points"
        try Scratch.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", place])
        defer { _ = try? Scratch.run(["umount", place]) }
        mkdir(scratch.root + "/t", 0o755)
        var seed = RandomTree(state: 7)
        for number in 0..<12 {
            let bytes = Data((0..<1_000_000).map { _ in UInt8(seed.next(256)) })
            try bytes.write(to: URL(fileURLWithPath: scratch.root + "/t/\(number)"))
        }
        let store = try scratch.store()
        let before = try store.files.freeBytes()
        let error = #expect(throws: PointError.self) {
            _ = try take(store, "p1", [try files("/t")])
        }
        #expect(error?.cause.contains("are free") ?? false, "\(String(describing: error))")
        #expect(error?.remedy.hasPrefix("free ") ?? false)
        #expect(try store.files.names(in: "packs").isEmpty)
        #expect(try store.files.names(in: "tmp").isEmpty)
        #expect(try before - store.files.freeBytes() < 100_000)
        for number in 5..<12 { unlink(scratch.root + "/t/\(number)") }
        _ = try take(store, "p1", [try files("/t")])
    }
}
