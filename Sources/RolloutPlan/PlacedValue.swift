import FleetWire

/// A value of a plan's file that has its shape, with its place.
struct PlacedValue {
    indirect enum Content {
        case text(String)
        case integer(Int)
        case boolean(Bool)
        case span(Milliseconds)
        case count(Count)
        case size(ByteCount)
        case digest(Digest)
        case number(Double)
        /// 1 is Monday.
        case days([Int])
        case list([PlacedValue])
        /// In the order of the file.
        case mapping([Entry])
        /// Was reported.
        case malformed
    }

    struct Entry {
        var key: String
        var line: Int
        var column: Int
        var value: PlacedValue
    }

    var content: Content
    var line: Int
    var column: Int
    /// Columns before the text itself (a quote), or nil if places in the text are none in the file.
    var textOffset: Int?

    var text: String? { if case .text(let text) = content { text } else { nil } }
    var integer: Int? { if case .integer(let number) = content { number } else { nil } }
    var boolean: Bool? { if case .boolean(let flag) = content { flag } else { nil } }
    var span: Milliseconds? { if case .span(let span) = content { span } else { nil } }
    var count: Count? { if case .count(let count) = content { count } else { nil } }
    var size: ByteCount? { if case .size(let size) = content { size } else { nil } }
    var digest: Digest? { if case .digest(let digest) = content { digest } else { nil } }
    var number: Double? { if case .number(let number) = content { number } else { nil } }
    var days: [Int] { if case .days(let days) = content { days } else { [] } }
    var list: [PlacedValue] { if case .list(let values) = content { values } else { [] } }
    var entries: [Entry] { if case .mapping(let entries) = content { entries } else { [] } }
    var isMalformed: Bool { if case .malformed = content { true } else { false } }

    /// The value of `key` in a mapping.
    subscript(key: String) -> PlacedValue? { entries.first { $0.key == key }?.value }

    /// The texts of a list, `""` in the place of what is none.
    var texts: [String] { list.map { $0.text ?? "" } }

    /// The texts of a mapping; the first of a key counts.
    var textsByName: [String: String] {
        Dictionary(entries.map { ($0.key, $0.value.text ?? "") }) { first, _ in first }
    }

    /// The line and column of `path`, or of what is nearest above it.
    func place(of path: PlanPath, atKey: Bool, offset: Int?) -> (line: Int, column: Int) {
        var value = self
        var key: (line: Int, column: Int)?
        var isFile = false
        for part in path.parts {
            switch part {
            case .key(let name):
                let entry =
                    value.entries.first { $0.key == name }
                    ?? value.entries.first { $0.key == name + "_file" }
                guard let entry else { return (value.line, value.column) }
                key = (entry.line, entry.column)
                isFile = entry.key != name
                value = entry.value
            case .index(let index):
                guard value.list.indices.contains(index) else { return (value.line, value.column) }
                key = nil
                value = value.list[index]
            }
        }
        if atKey, let key { return key }
        guard let offset, let before = value.textOffset, !isFile else {
            return (value.line, value.column)
        }
        return (value.line, value.column + before + offset)
    }
}
