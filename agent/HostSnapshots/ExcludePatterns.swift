/// Which paths of a component are left out: each text is a line of a gitignore file, and means what
/// it means there (gitignore(5)). The format's section "Excludes".
struct ExcludePatterns {
    private struct Pattern {
        var pattern: PathPattern
        /// True if it is held against the path below the component's path, false if against names.
        var isAnchored: Bool
        var directoryOnly: Bool
        var takesBack: Bool
    }
    private let patterns: [Pattern]

    init(_ texts: [String]) { patterns = texts.compactMap { Self.pattern(Array($0.utf8)) } }

    var isEmpty: Bool { patterns.isEmpty }

    /// True if `relative` (below the component's path) is left out. What is below a directory that
    /// is left out is never asked for, so a pattern that takes back cannot reach it.
    func excludes(_ relative: [UInt8], isDirectory: Bool) -> Bool {
        let slash = relative.lastIndex(of: UInt8(ascii: "/"))
        let name = slash.map { relative[($0 + 1)...] } ?? relative[...]
        for pattern in patterns.reversed() where isDirectory || !pattern.directoryOnly {
            if pattern.pattern.matches(pattern.isAnchored ? relative[...] : name) {
                return !pattern.takesBack
            }
        }
        return false
    }

    /// Nil for a line that is empty, a comment, or can match nothing.
    private static func pattern(_ line: [UInt8]) -> Pattern? {
        if line.first == UInt8(ascii: "#") { return nil }
        var bytes = withoutTrailingSpaces(line)[...]
        let takesBack = bytes.first == UInt8(ascii: "!")
        if takesBack { bytes = bytes.dropFirst() }
        let directoryOnly = bytes.last == UInt8(ascii: "/")
        if directoryOnly { bytes = bytes.dropLast() }
        let isAnchored = bytes.contains(UInt8(ascii: "/"))
        if bytes.first == UInt8(ascii: "/") { bytes = bytes.dropFirst() }
        guard !bytes.isEmpty, let pattern = PathPattern(Array(bytes), isPath: isAnchored) else {
            return nil
        }
        return Pattern(
            pattern: pattern, isAnchored: isAnchored, directoryOnly: directoryOnly,
            takesBack: takesBack)
    }

    /// Spaces at the end do not count unless a backslash stands before them.
    private static func withoutTrailingSpaces(_ line: [UInt8]) -> [UInt8] {
        var end = 0
        var position = 0
        while position < line.count {
            let isSpace = line[position] == UInt8(ascii: " ")
            if line[position] == UInt8(ascii: "\\") { position += 1 }
            position += 1
            if !isSpace { end = min(position, line.count) }
        }
        return Array(line[..<end])
    }
}

/// One glob pattern, held against a text in time that grows with both their lengths alone: all places
/// in the pattern that the text so far can have reached are followed at once.
struct PathPattern {
    private enum Token {
        case byte(UInt8)
        /// Any byte; with a path not a slash.
        case any
        case set(ByteSet)
        /// Any bytes; with a path none of them a slash.
        case star
        /// Any bytes, slashes too.
        case everything
        /// Nothing, or any bytes that end in a slash: `**/` where a name could begin.
        case directories
    }
    private var tokens: [Token] = []
    private let isPath: Bool

    /// Nil for a pattern that can match nothing. With `isPath` slashes part names.
    init?(_ bytes: [UInt8], isPath: Bool) {
        self.isPath = isPath
        var position = 0
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "*"): position = addStars(bytes, position)
            case UInt8(ascii: "?"):
                tokens.append(.any)
                position += 1
            case UInt8(ascii: "["):
                guard let (set, next) = ByteSet.parse(bytes, position) else { return nil }
                tokens.append(.set(set))
                position = next
            case UInt8(ascii: "\\"):
                guard position + 1 < bytes.count else { return nil }
                tokens.append(.byte(bytes[position + 1]))
                position += 2
            case let byte:
                tokens.append(.byte(byte))
                position += 1
            }
        }
    }

    /// Gives the position behind the stars.
    private mutating func addStars(_ bytes: [UInt8], _ start: Int) -> Int {
        var end = start
        while end < bytes.count, bytes[end] == UInt8(ascii: "*") { end += 1 }
        let slash = UInt8(ascii: "/")
        guard isPath, end - start > 1, start == 0 || bytes[start - 1] == slash else {
            tokens.append(.star)
            return end
        }
        if end == bytes.count || bytes[end...].starts(with: [UInt8(ascii: "\\"), slash]) {
            tokens.append(.everything)
        } else if bytes[end] == slash {
            tokens.append(.directories)
            end += 1
        } else {
            tokens.append(.star)
        }
        return end
    }

    func matches(_ text: ArraySlice<UInt8>) -> Bool {
        let count = tokens.count + 1
        return withUnsafeTemporaryAllocation(of: Bool.self, capacity: count * 2) { room in
            room.initialize(repeating: false)
            var now = UnsafeMutableBufferPointer(rebasing: room[..<count])
            var next = UnsafeMutableBufferPointer(rebasing: room[count...])
            reach(0, in: now)
            for byte in text {
                for state in now.indices where now[state] {
                    if state < tokens.count { step(tokens[state], state, byte, next) }
                }
                swap(&now, &next)
                next.update(repeating: false)
            }
            return now[tokens.count]
        }
    }

    /// Marks `state`, and those that follow it without a byte.
    private func reach(_ state: Int, in states: UnsafeMutableBufferPointer<Bool>) {
        var state = state
        while !states[state] {
            states[state] = true
            guard state < tokens.count else { return }
            switch tokens[state] {
            case .star, .everything, .directories: state += 1
            case .byte, .any, .set: return
            }
        }
    }

    private func step(
        _ token: Token, _ state: Int, _ byte: UInt8, _ next: UnsafeMutableBufferPointer<Bool>
    ) {
        let isSlash = byte == UInt8(ascii: "/")
        switch token {
        case .byte(let wanted): if byte == wanted { reach(state + 1, in: next) }
        case .any: if !isPath || !isSlash { reach(state + 1, in: next) }
        case .set(let set):
            if set.contains(byte), !isPath || !isSlash { reach(state + 1, in: next) }
        case .star: if !isPath || !isSlash { reach(state, in: next) }
        case .everything: reach(state, in: next)
        case .directories:
            // Within a name only the next slash can lead on.
            next[state] = true
            if isSlash { reach(state + 1, in: next) }
        }
    }
}

/// The bytes that a bracket expression of a glob pattern matches.
struct ByteSet {
    private var bits: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    private var isInverted = false

    func contains(_ byte: UInt8) -> Bool {
        let word =
            byte < 128 ? (byte < 64 ? bits.0 : bits.1) : (byte < 192 ? bits.2 : bits.3)
        return (word >> UInt64(byte & 63) & 1 == 1) != isInverted
    }

    private mutating func insert(_ bytes: ClosedRange<UInt8>) {
        for byte in bytes {
            let bit = UInt64(1) << UInt64(byte & 63)
            switch byte >> 6 {
            case 0: bits.0 |= bit
            case 1: bits.1 |= bit
            case 2: bits.2 |= bit
            default: bits.3 |= bit
            }
        }
    }

    /// Reads the expression at `start`, a `[`; gives the position behind its end. Nil if it has none,
    /// or names a class that there is not: then nothing matches.
    static func parse(_ bytes: [UInt8], _ start: Int) -> (ByteSet, Int)? {
        var set = ByteSet()
        var position = start + 1
        if position < bytes.count, [UInt8(ascii: "!"), UInt8(ascii: "^")].contains(bytes[position])
        {
            set.isInverted = true
            position += 1
        }
        var low: UInt8?
        var isFirst = true
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "]"), !isFirst { return (set, position + 1) }
            isFirst = false
            if byte == UInt8(ascii: "["), let (name, next) = className(bytes, position) {
                guard set.insert(named: name) else { return nil }
                (low, position) = (nil, next)
            } else if byte == UInt8(ascii: "-"), let first = low, position + 1 < bytes.count,
                bytes[position + 1] != UInt8(ascii: "]")
            {
                guard let (last, next) = literal(bytes, position + 1) else { return nil }
                if first <= last { set.insert(first...last) }
                (low, position) = (nil, next)
            } else {
                guard let (single, next) = literal(bytes, position) else { return nil }
                set.insert(single...single)
                (low, position) = (single, next)
            }
        }
        return nil
    }

    private static func literal(_ bytes: [UInt8], _ position: Int) -> (UInt8, Int)? {
        guard bytes[position] == UInt8(ascii: "\\") else { return (bytes[position], position + 1) }
        guard position + 1 < bytes.count else { return nil }
        return (bytes[position + 1], position + 2)
    }

    /// The name of a class `[:name:]` at `position`; nil if none stands there.
    private static func className(_ bytes: [UInt8], _ position: Int) -> (String, Int)? {
        guard position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: ":"),
            let end = bytes[(position + 2)...].firstIndex(of: UInt8(ascii: "]")),
            end > position + 2, bytes[end - 1] == UInt8(ascii: ":")
        else { return nil }
        return (String(decoding: bytes[(position + 2)..<(end - 1)], as: UTF8.self), end + 1)
    }

    /// False if there is no such class. They are those of POSIX in ASCII.
    private mutating func insert(named name: String) -> Bool {
        let ranges: [ClosedRange<Character>]
        switch name {
        case "alnum": ranges = ["0"..."9", "A"..."Z", "a"..."z"]
        case "alpha": ranges = ["A"..."Z", "a"..."z"]
        case "blank": ranges = [" "..." ", "\t"..."\t"]
        case "cntrl": ranges = ["\0"..."\u{1F}", "\u{7F}"..."\u{7F}"]
        case "digit": ranges = ["0"..."9"]
        case "graph": ranges = ["!"..."~"]
        case "lower": ranges = ["a"..."z"]
        case "print": ranges = [" "..."~"]
        case "punct": ranges = ["!"..."/", ":"..."@", "["..."`", "{"..."~"]
        case "space": ranges = [" "..." ", "\t"..."\r"]
        case "upper": ranges = ["A"..."Z"]
        case "xdigit": ranges = ["0"..."9", "A"..."F", "a"..."f"]
        default: return false
        }
        for range in ranges {
            guard let low = range.lowerBound.asciiValue, let high = range.upperBound.asciiValue
            else { return false }
            insert(low...high)
        }
        return true
    }
}
