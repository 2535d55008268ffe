import Foundation
import Testing

@Suite("The shape of the sources")
struct ShapeTests {
    private let tree = SourceTree.shared

    private static let fileLinesMax = 600
    private static let functionLinesMax = 70

    @Test("No file is longer than 600 lines")
    func filesAreShort() {
        for file in tree.files {
            #expect(file.lines.count <= Self.fileLinesMax, "\(file.path): \(file.lines.count)")
        }
    }

    @Test("No function is longer than 70 lines")
    func functionsAreShort() {
        for file in tree.files {
            for function in Self.functions(of: file) where function.length > Self.functionLinesMax {
                Issue.record("\(file.path):\(function.line): \(function.length) lines")
            }
        }
    }

    @Test("A function of 71 lines is found")
    func longFunctionIsFound() {
        let body = Array(repeating: "        work()", count: 69)
        let file = SourceTree.File(
            path: "x.swift", lines: ["struct A {", "    func long() {"] + body + ["    }", "}"])
        #expect(Self.functions(of: file).map(\.length) == [71])
    }

    @Test("No file has a name that says nothing")
    func namesSaySomething() {
        let empty = ["Utils", "Helper", "Manager", "Common", "Misc", "New"]
        for file in tree.production {
            let name = file.path.split(separator: "/").last.map(String.init) ?? ""
            for word in empty {
                #expect(!name.contains(word), "\(file.path)")
            }
        }
    }

    @Test("Traps and unproven concurrency stand nowhere but where they are proved")
    func trapsAreProved() {
        let words = ["try!", "fatalError(", "as!", "@unchecked Sendable", "nonisolated(unsafe)"]
        for file in tree.production {
            for (index, line) in file.lines.enumerated() {
                let code = line.codeOnly
                for word in words where code.contains(word) {
                    let before = index > 0 ? file.lines[index - 1] : ""
                    #expect(
                        before.contains("//"),
                        "\(file.path):\(index + 1): \(word) needs its proof in the line above")
                }
            }
        }
    }

    @Test("Every package and public declaration is documented")
    func declarationsAreDocumented() {
        for file in tree.production {
            for (index, line) in file.lines.enumerated() where Self.declares(line) {
                var before = index - 1
                while before >= 0,
                    file.lines[before].trimmingCharacters(in: .whitespaces).hasPrefix("@")
                {
                    before -= 1
                }
                let above =
                    before >= 0 ? file.lines[before].trimmingCharacters(in: .whitespaces) : ""
                #expect(above.hasPrefix("///"), "\(file.path):\(index + 1): \(line)")
            }
        }
    }

    private static func declares(_ line: String) -> Bool {
        let words = line.split(separator: " ").map(String.init)
        guard let first = words.first, first == "package" || first == "public", words.count > 1
        else { return false }
        return words[1] != "import" && !words.contains("extension") && !words.contains("override")
    }

    /// Functions and initialisers by the indentation of their first and last lines.
    private static func functions(of file: SourceTree.File) -> [(line: Int, length: Int)] {
        var found: [(line: Int, length: Int)] = []
        var open: [(indent: Int, line: Int)] = []
        for (index, line) in file.lines.enumerated() {
            let indent = line.prefix { $0 == " " }.count
            let text = line.dropFirst(indent)
            if text.contains("func ") || text.hasPrefix("init(") || text.contains(" init(") {
                // A requirement of a protocol has no body: the next declaration ends it.
                if let last = open.last, indent <= last.indent { open.removeLast() }
                if !line.codeOnly.hasSuffix("}"), !text.hasPrefix("//") {
                    open.append((indent, index + 1))
                }
            }
            if text.hasPrefix("}"), let last = open.last, indent <= last.indent {
                open.removeLast()
                if indent == last.indent { found.append((last.line, index + 2 - last.line)) }
            }
        }
        return found
    }
}
