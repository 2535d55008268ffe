/// Finds aliases in keys. The parser hashes every key to find duplicates; a key that is an alias of
/// aliases of aliases would keep it busy for ever, before its values could be counted.
enum AliasKeys {
    /// The first line, from 1, on which a key may hold an alias of an anchor of `text`; nil if none.
    /// Looks at lines only, so it may take a line of a text block for one; such a line names an
    /// anchor of the plan before a colon.
    static func firstLine(in text: String) -> Int? {
        let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
        let anchors = Set(lines.flatMap { names(after: "&", in: $0) })
        guard !anchors.isEmpty else { return nil }
        func hasAlias(_ line: Substring) -> Bool {
            names(after: "*", in: line).contains { anchors.contains($0) }
        }
        guard lines.contains(where: hasAlias) else { return nil }
        for (index, line) in lines.enumerated() {
            if hasExplicitKey(line) || (hasAlias(line) && hasKeyOfAlias(line)) { return index + 1 }
        }
        return nil
    }

    private static func names(after mark: Character, in line: Substring) -> [Substring] {
        line.split(separator: mark, omittingEmptySubsequences: false).dropFirst().map { part in
            part.prefix(while: isOfName)
        }
    }

    /// What the parser takes into the name of an anchor.
    private static func isOfName(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || "-_".contains(character))
    }

    /// `? key` at the start of a line or inside braces.
    private static func hasExplicitKey(_ line: Substring) -> Bool {
        var before: Character = " "
        let all = Array(line.drop { $0.isWhitespace || $0 == "-" })
        for (index, character) in all.enumerated() {
            let isLast = index + 1 == all.count || all[index + 1].isWhitespace
            let isFirst = index == 0 || before == "{" || before == "," || before == "["
            if character == "?", isLast, isFirst { return true }
            if !character.isWhitespace { before = character }
        }
        return false
    }

    /// `*name :`, `[*name]:` or `{a: *name}:`.
    private static func hasKeyOfAlias(_ line: Substring) -> Bool {
        var rest = line
        while let star = rest.firstIndex(of: "*") {
            rest = rest[rest.index(after: star)...]
            let after = rest.drop(while: isOfName)
            let gap = after.drop { $0 == " " || $0 == "\t" }
            if gap.first == ":" { return true }
            for close in ["]", "}"] {
                var tail = after
                while let end = tail.firstIndex(of: Character(close)) {
                    tail = tail[tail.index(after: end)...]
                    if tail.drop(while: { $0 == " " || $0 == "\t" }).first == ":" { return true }
                }
            }
        }
        return false
    }
}
