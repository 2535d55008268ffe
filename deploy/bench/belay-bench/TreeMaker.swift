import CLinux
import Glibc

/// Writes trees of a shape, and changes them again.
struct TreeMaker {
    let shape: TreeShape
    /// The tree's top directory.
    let top: String

    /// All files were last changed at this second, so that two trees of one shape are equal:
    /// 2026-01-01 00:00:00 UTC, and each file its number of seconds later.
    private static let firstSecond = 1_767_225_600

    /// Makes the tree; `top` must not be there.
    func make() throws {
        try Folder.make(top)
        for number in 0..<shape.directories { try Folder.make("\(top)/\(shape.directory(number))") }
        let sizes = shape.allSizes()
        for file in 0..<shape.files {
            if file.isMultiple(of: 256) { try Interruption.check() }
            try write(file, size: sizes[file], seed: shape.seed)
            try setTime("\(top)/\(shape.path(file))", Self.firstSecond + file)
        }
        for number in 0..<shape.directories {
            try setTime("\(top)/\(shape.directory(number))", Self.firstSecond)
        }
        for number in 0...(max(0, shape.directories - 1) / 100) {
            let above = shape.directory(number * 100).split(separator: "/")[0]
            try setTime("\(top)/\(above)", Self.firstSecond)
        }
        try setTime(top, Self.firstSecond)
    }

    /// Gives one file in a hundred other bytes of the same length and the present time, written in
    /// place; which ones follows from `round`. How many were changed.
    func changeOnePercent(round: Int) throws -> Int {
        let sizes = shape.allSizes()
        var numbers = Array(0..<shape.files)
        var random = SeededRandom(seed: shape.seed, stream: 1_000 + UInt64(round))
        numbers.shuffle(using: &random)
        let chosen = numbers.prefix(max(1, shape.files / 100))
        for file in chosen {
            try write(file, size: sizes[file], seed: shape.seed &+ 1_000 &+ UInt64(round))
        }
        return chosen.count
    }

    /// Writes new random bytes over 1 % of the tree's one file: ranges of 1 MiB that begin at
    /// multiples of 4 KiB, as a database's pages do, and do not touch each other. Their offsets.
    func changeRanges(round: Int) throws -> [Int] {
        let size = shape.allSizes()[0]
        let offsets = Self.ranges(size: size, seed: shape.seed, round: round)
        let path = "\(top)/\(shape.path(0))"
        let file = open(path, O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { throw BenchFailure.system("open", path, errno) }
        defer { close(file) }
        for offset in offsets {
            let content = FileContent(
                .random, seed: shape.seed &+ UInt64(offset) &+ UInt64(round) << 48)
            try Self.write(content, to: file, at: offset, count: Self.rangeBytes, path)
        }
        return offsets
    }

    /// Bytes of one range that `changeRanges` writes.
    static let rangeBytes = 1 << 20

    /// Where `changeRanges` writes: 1 % of `size`, rounded up to whole ranges, in order.
    static func ranges(size: Int, seed: UInt64, round: Int) -> [Int] {
        var random = SeededRandom(seed: seed, stream: 2_000 + UInt64(round))
        let count = max(1, (size / 100 + rangeBytes - 1) / rangeBytes)
        // Each lies somewhere in its own part of the file, so that none overlap.
        let part = size / count
        return (0..<count).map { number in
            let place = number * part + random.below(max(1, part - rangeBytes))
            return place / 4_096 * 4_096
        }
    }

    private func write(_ number: Int, size: Int, seed: UInt64) throws {
        let path = "\(top)/\(shape.path(number))"
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw BenchFailure.system("create", path, errno) }
        defer { close(file) }
        let kind: FileContent.Kind =
            shape.files == 1 ? .alternating : shape.isCompressible(number) ? .text : .random
        let content = FileContent(kind, seed: seed &+ UInt64(number) &* 0x1_0000)
        try Self.write(content, to: file, at: 0, count: size, path)
    }

    private static func write(
        _ content: FileContent, to file: Int32, at start: Int, count: Int, _ path: String
    ) throws {
        try withUnsafeTemporaryAllocation(
            byteCount: FileContent.partBytes, alignment: 16
        ) { room in
            for part in 0..<(count + FileContent.partBytes - 1) / FileContent.partBytes {
                let offset = part * FileContent.partBytes
                let length = min(FileContent.partBytes, count - offset)
                let bytes = UnsafeMutableRawBufferPointer(rebasing: room[..<length])
                content.fill(bytes, part: part)
                guard pwrite(file, bytes.baseAddress, length, start + offset) == length else {
                    throw BenchFailure.system("write", path, errno)
                }
                if part.isMultiple(of: 256) { try Interruption.check() }
            }
        }
    }

    private func setTime(_ path: String, _ second: Int) throws {
        let time = timespec(tv_sec: second, tv_nsec: 123_456_789)
        guard utimensat(AT_FDCWD, path, [time, time], 0) == 0 else {
            throw BenchFailure.system("set the time of", path, errno)
        }
    }
}
