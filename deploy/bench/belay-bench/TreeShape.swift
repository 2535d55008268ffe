import Glibc

/// A tree as numbers say it: every name, size and byte follows from the shape and its seed, so that
/// nobody holds a whole tree in memory and the same seed gives the same tree everywhere.
struct TreeShape: Sendable {
    enum Sizes: Sendable {
        /// The quantiles of a Pareto distribution with exponent 1.2, cut at `most` bytes and scaled
        /// to `total` bytes: few files hold most bytes, as in `/etc` and `/usr`.
        case pareto(total: Int, most: Int)
        /// Each size from the range is as likely.
        case uniform(ClosedRange<Int>)
    }

    /// Of the tables: `A`, `B` or `C`.
    let name: String
    let files: Int
    let sizes: Sizes
    let seed: UInt64

    /// Files of one directory; a hundred directories lie in one above.
    static let filesPerDirectory = 100

    /// 20,000 files, 160 MB, Pareto sizes; a tenth of it for trying.
    static func many(quick: Bool) -> TreeShape {
        TreeShape(
            name: "A", files: quick ? 2_000 : 20_000,
            sizes: .pareto(total: quick ? 16_000_000 : 160_000_000, most: 16_000_000), seed: 41)
    }

    /// 200,000 files of 1 to 8 KiB; a tenth of it for trying.
    static func small(quick: Bool) -> TreeShape {
        TreeShape(
            name: "B", files: quick ? 20_000 : 200_000, sizes: .uniform(1_024...8_192), seed: 42)
    }

    /// One file of 4 GB; 256 MB for trying.
    static func large(quick: Bool) -> TreeShape {
        let bytes = quick ? 256_000_000 : 4_000_000_000
        return TreeShape(name: "C", files: 1, sizes: .uniform(bytes...bytes), seed: 43)
    }

    /// A file's path below the tree's top, such as `d07/d0712/file-071234.txt`.
    func path(_ file: Int) -> String {
        "\(directory(file / Self.filesPerDirectory))/file-\(Self.digits(file, 6))"
            + (isCompressible(file) ? ".txt" : ".bin")
    }

    /// Directories that hold files, by number.
    var directories: Int { (files + Self.filesPerDirectory - 1) / Self.filesPerDirectory }

    func directory(_ number: Int) -> String {
        "d\(Self.digits(number / 100, 2))/d\(Self.digits(number, 4))"
    }

    /// Half of the files are text that zstd brings to about a half; the others do not compress.
    func isCompressible(_ file: Int) -> Bool { file.isMultiple(of: 2) }

    /// The size of every file in bytes, by number.
    func allSizes() -> [Int] {
        var random = SeededRandom(seed: seed, stream: .max)
        switch sizes {
        case .uniform(let range):
            return (0..<files).map { _ in range.lowerBound + random.below(range.count) }
        case .pareto(let total, let most):
            // u^(-1/1.2) is the quantile of Pareto's distribution with exponent 1.2 and scale 1.
            var shares = (0..<files).map {
                pow((Double($0) + 0.5) / Double(files), -1 / 1.2)
            }
            // The cut takes bytes from the largest, so the scale is found again a few times.
            var scale = 0.0
            for _ in 0..<20 {
                let whole = shares.reduce(0) { $0 + min($1 * max(scale, 1e-9), Double(most)) }
                scale =
                    scale == 0
                    ? Double(total) / shares.reduce(0, +) : scale * Double(total) / whole
            }
            shares.shuffle(using: &random)
            return shares.map { max(1, Int(min($0 * scale, Double(most)))) }
        }
    }

    private static func digits(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}
