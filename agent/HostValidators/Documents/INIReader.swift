/// Reads INI as Python's configparser and most others do: `[section]`, `key = value` or
/// `key: value`, comments after `;` or `#` on lines of their own, and values that go on in lines
/// that are indented and have no `=`. There is no standard; a reader may be stricter or laxer.
struct INIReader {
    private struct Section {
        var line: Int
        var members: [DocumentValue.Member] = []
        /// Where each key stands among them.
        var places: [String: Int] = [:]
    }

    private var doubts: [DocumentError] = []
    /// The first one, without a name, holds the keys above all others.
    private var sections = [Section(line: 1)]
    private var names = [""]
    private var places: [String: Int] = [:]
    private var current = 0

    /// Sections as mappings of texts; keys above the first section stand beside them. A section or
    /// key that stands twice is a doubt: some merge, some take the last, some refuse.
    static func read(_ bytes: [UInt8]) throws(DocumentError) -> Document {
        if let error = DocumentCursor.notUTF8(bytes) { throw error }
        var reader = INIReader()
        var number = 0
        let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        for line in bytes[start...].split(separator: 0x0A, omittingEmptySubsequences: false) {
            number += 1
            try reader.take(line.last == 0x0D ? line.dropLast() : line, number)
        }
        let named = zip(reader.names, reader.sections).dropFirst().map { name, section in
            DocumentValue.Member(
                name: name, value: DocumentValue(kind: .map(section.members), line: section.line))
        }
        return Document(
            values: [DocumentValue(kind: .map(reader.sections[0].members + named), line: 1)],
            doubts: reader.doubts)
    }

    private mutating func take(_ bytes: ArraySlice<UInt8>, _ number: Int) throws(DocumentError) {
        func failure(_ reason: String, at index: Int) -> DocumentError {
            DocumentError(line: number, column: index - bytes.startIndex + 1, reason: reason)
        }
        if let index = bytes.firstIndex(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }) {
            throw failure("there is a control character", at: index)
        }
        let text = Self.trimmed(bytes)
        guard let first = text.first, !";#".utf8.contains(first) else { return }
        if first == UInt8(ascii: "[") {
            guard let end = text.firstIndex(of: UInt8(ascii: "]")) else {
                throw failure("a ] is missing", at: text.endIndex)
            }
            let rest = Self.trimmed(text[(end + 1)...])
            guard rest.first.map({ ";#".utf8.contains($0) }) ?? true else {
                throw failure("something follows the name of the section", at: rest.startIndex)
            }
            let name = Self.string(Self.trimmed(text[(text.startIndex + 1)..<end]))
            guard !name.isEmpty else {
                throw failure("the section has no name", at: text.startIndex)
            }
            return begin(name, number)
        }
        let isIndented = text.startIndex > bytes.startIndex
        if isIndented, !text.contains(UInt8(ascii: "=")), append(Self.string(text)) { return }
        guard let mark = text.firstIndex(where: { "=:".utf8.contains($0) }) else {
            throw failure("neither a section nor a key with = or :", at: text.startIndex)
        }
        let name = Self.string(Self.trimmed(text[..<mark]))
        guard !name.isEmpty else { throw failure("a key is missing", at: text.startIndex) }
        let value = Self.string(Self.trimmed(text[(mark + 1)...]))
        add(.init(name: name, value: DocumentValue(kind: .text(value), line: number)))
    }

    private mutating func begin(_ name: String, _ line: Int) {
        if let old = places[name] {
            doubts.append(
                DocumentError(
                    line: line,
                    reason: "the section \(name) stands already in line \(sections[old].line)"))
            current = old
            return
        }
        if sections[0].places[name] != nil {
            doubts.append(
                DocumentError(line: line, reason: "\(name) is a section and a key above all"))
        }
        current = sections.count
        places[name] = current
        names.append(name)
        sections.append(Section(line: line))
    }

    private mutating func add(_ member: DocumentValue.Member) {
        guard let old = sections[current].places[member.name] else {
            sections[current].places[member.name] = sections[current].members.count
            sections[current].members.append(member)
            return
        }
        let line = sections[current].members[old].value.line
        doubts.append(
            DocumentError(
                line: member.value.line,
                reason: "the key \(member.name) stands already in line \(line)"))
        sections[current].members[old] = member
    }

    /// Appends a line to the last value; false if there is none.
    private mutating func append(_ line: String) -> Bool {
        guard let last = sections[current].members.indices.last,
            let text = sections[current].members[last].value.text
        else { return false }
        sections[current].members[last].value.kind = .text(text + "\n" + line)
        return true
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
        var bytes = bytes.drop(while: isBlank)
        while let last = bytes.last, isBlank(last) { bytes.removeLast() }
        return bytes
    }

    private static func string(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes, as: UTF8.self)
    }
}
