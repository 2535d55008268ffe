/// Reads a compiled zone (TZif, RFC 9636). Bytes of any kind give a zone or nil, never a crash.
struct ZoneFile {
    /// Counts of one of its two parts, in the order of the file.
    private struct Header {
        var version: UInt8
        var isUTCCount: Int
        var isStandardCount: Int
        var leapCount: Int
        var timeCount: Int
        var typeCount: Int
        var characterCount: Int

        /// Bytes of the part that follows, with times of `width` bytes.
        func length(width: Int) -> Int {
            timeCount * (width + 1) + typeCount * 6 + characterCount + leapCount * (width + 4)
                + isStandardCount + isUTCCount
        }
    }

    private let bytes: [UInt8]
    private var place = 0

    /// The zone in `bytes`, or nil if they hold none, or one that counts leap seconds.
    static func zone(named name: String, in bytes: [UInt8]) -> Zone? {
        var file = ZoneFile(bytes: bytes)
        return file.read(name)
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func read(_ name: String) -> Zone? {
        guard let old = header() else { return nil }
        if old.version < 0x32 { return part(old, width: 4, name: name) }
        // Version 2 and later repeat everything with times of 64 bits.
        guard skip(old.length(width: 4)), let new = header() else { return nil }
        return part(new, width: 8, name: name)
    }

    private mutating func part(_ header: Header, width: Int, name: String) -> Zone? {
        guard header.leapCount == 0, header.typeCount > 0,
            bytes.count - place >= header.length(width: width)
        else { return nil }
        var times: [Int64] = []
        for _ in 0..<header.timeCount { times.append(signed(width) ?? 0) }
        let kinds = take(header.timeCount)
        var offsets: [Int64] = []
        for _ in 0..<header.typeCount {
            offsets.append(signed(4) ?? 0)
            _ = skip(2)
        }
        _ = skip(header.characterCount + header.isStandardCount + header.isUTCCount)
        guard kinds.allSatisfy({ Int($0) < offsets.count }),
            offsets.allSatisfy({ abs($0) < 26 * 3600 }),
            zip(times, times.dropFirst()).allSatisfy({ $0 < $1 })
        else { return nil }
        let changes = zip(times, kinds).map { time, kind in
            // Earlier than any clock counts as the beginning of time.
            Zone.Change(at: max(time, -(1 << 40)), offset: offsets[Int(kind)])
        }
        let footer = width == 8 ? footer() : ""
        var rule: ZoneRule?
        if !footer.isEmpty {
            rule = ZoneRule(footer)
            if rule == nil { return nil }
        }
        return Zone(name: name, offsetFirst: offsets[0], changes: changes, rule: rule)
    }

    /// The line between two newlines at the end.
    private func footer() -> String {
        guard place < bytes.count, bytes[place] == 0x0A else { return "" }
        return String(decoding: bytes[(place + 1)...].prefix { $0 != 0x0A }, as: UTF8.self)
    }

    private mutating func header() -> Header? {
        guard take(4) == Array("TZif".utf8), let version = take(1).first, skip(15),
            let isUTC = count(), let isStandard = count(), let leap = count(), let time = count(),
            let type = count(), let characters = count()
        else { return nil }
        return Header(
            version: version, isUTCCount: isUTC, isStandardCount: isStandard, leapCount: leap,
            timeCount: time, typeCount: type, characterCount: characters)
    }

    /// A count that the file can hold.
    private mutating func count() -> Int? {
        guard let count = signed(4), count >= 0, count <= bytes.count else { return nil }
        return Int(count)
    }

    private mutating func signed(_ width: Int) -> Int64? {
        let part = take(width)
        guard part.count == width, let first = part.first else { return nil }
        return part.dropFirst().reduce(Int64(Int8(bitPattern: first))) { $0 << 8 | Int64($1) }
    }

    private mutating func take(_ count: Int) -> [UInt8] {
        let part = Array(bytes[place...].prefix(count))
        place += part.count
        return part
    }

    private mutating func skip(_ count: Int) -> Bool { take(count).count == count }
}
