/// A unified diff of two texts, by lines, with three lines of context.
enum TextDiff {
    private enum Line {
        case same(Substring)
        case gone(Substring)
        case new(Substring)
    }

    private static let context = 3
    /// More cells than this are not compared: the differing middle is shown as replaced.
    private static let cellsMax = 4_000_000
    /// Lines after this are left out, and it says so.
    private static let linesMax = 200

    /// Empty if the texts are equal.
    static func unified(_ old: String, _ new: String, path: String) -> String {
        guard old != new else { return "" }
        let lines = compare(split(old), split(new))
        var shown = ["--- \(path)", "+++ \(path)"]
        var near = Set<Int>()
        for (index, line) in lines.enumerated() {
            if case .same = line { continue }
            near.formUnion(max(0, index - context)...min(lines.count - 1, index + context))
        }
        var (left, right) = (1, 1)
        for (index, line) in lines.enumerated() {
            if near.contains(index) {
                if !near.contains(index - 1) {
                    shown.append(hunkHead(lines, near, index, left, right))
                }
                shown.append(text(line))
            }
            if case .new = line {} else { left += 1 }
            if case .gone = line {} else { right += 1 }
        }
        guard shown.count > linesMax else { return shown.joined(separator: "\n") }
        return shown.prefix(linesMax).joined(separator: "\n")
            + "\n(\(shown.count - linesMax) more lines are left out)"
    }

    private static func hunkHead(
        _ lines: [Line], _ near: Set<Int>, _ start: Int, _ left: Int, _ right: Int
    ) -> String {
        var (olds, news) = (0, 0)
        for index in start..<lines.count {
            guard near.contains(index) else { break }
            if case .new = lines[index] {} else { olds += 1 }
            if case .gone = lines[index] {} else { news += 1 }
        }
        return "@@ -\(olds == 0 ? left - 1 : left),\(olds) "
            + "+\(news == 0 ? right - 1 : right),\(news) @@"
    }

    private static func text(_ line: Line) -> String {
        switch line {
        case .same(let text): " \(text)"
        case .gone(let text): "-\(text)"
        case .new(let text): "+\(text)"
        }
    }

    private static func split(_ text: String) -> [Substring] {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if lines.last == "" { lines.removeLast() }
        return lines
    }

    private static func compare(_ old: [Substring], _ new: [Substring]) -> [Line] {
        let head = zip(old, new).prefix { $0 == $1 }.count
        let tail = zip(old.dropFirst(head).reversed(), new.dropFirst(head).reversed())
            .prefix { $0 == $1 }.count
        let left = Array(old[head..<(old.count - tail)])
        let right = Array(new[head..<(new.count - tail)])
        let middle =
            left.count * right.count > cellsMax
            ? left.map(Line.gone) + right.map(Line.new) : longestCommon(left, right)
        return old.prefix(head).map(Line.same) + middle + old.suffix(tail).map(Line.same)
    }

    private static func longestCommon(_ left: [Substring], _ right: [Substring]) -> [Line] {
        let width = right.count + 1
        var lengths = [Int32](repeating: 0, count: (left.count + 1) * width)
        for i in stride(from: left.count - 1, through: 0, by: -1) {
            for j in stride(from: right.count - 1, through: 0, by: -1) {
                lengths[i * width + j] =
                    left[i] == right[j]
                    ? lengths[(i + 1) * width + j + 1] + 1
                    : max(lengths[(i + 1) * width + j], lengths[i * width + j + 1])
            }
        }
        var lines: [Line] = []
        var (i, j) = (0, 0)
        while i < left.count || j < right.count {
            if i < left.count, j < right.count, left[i] == right[j] {
                lines.append(.same(left[i]))
                (i, j) = (i + 1, j + 1)
            } else if j == right.count
                || (i < left.count && lengths[(i + 1) * width + j] >= lengths[i * width + j + 1])
            {
                lines.append(.gone(left[i]))
                i += 1
            } else {
                lines.append(.new(right[j]))
                j += 1
            }
        }
        return lines
    }
}
