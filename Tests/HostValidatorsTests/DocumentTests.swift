import FoundationEssentials
import Glibc
import Testing

@testable import HostValidators

@Suite struct DocumentTests {
    /// A value in one line, keys in order; fractions have a point.
    static func shown(_ value: DocumentValue) -> String {
        switch value.kind {
        case .null: "null"
        case .flag(let flag): "\(flag)"
        case .whole(let number): "\(number)"
        case .fraction(let number): "\(number)"
        case .text(let text): "\"\(text)\""
        case .list(let items): "[" + items.map(shown).joined(separator: ", ") + "]"
        case .map(let members):
            "{" + members.map { "\($0.name): \(shown($0.value))" }.joined(separator: ", ") + "}"
        }
    }

    /// What is read, or where it fails.
    private func read(_ format: DocumentFormat, _ bytes: [UInt8]) -> String {
        do throws(DocumentError) {
            return try format.read(bytes).values.map(Self.shown).joined(separator: " / ")
        } catch {
            return error.column.map { "\(error.line):\($0)" } ?? "\(error.line)"
        }
    }

    @Test(arguments: [
        (#" {"a": {"b": []}, "c": -0.5e+1} "#, "{a: {b: []}, c: -5.0}"),
        (#"["\"\\\/\b\f\n\r\t\u0041\ud83d\ude00"]"#, "[\"\"\\/\u{8}\u{c}\n\r\tA😀\"]"),
        ("1", "1"), ("-0", "0"), ("9223372036854775808", "9.223372036854776e+18"),
        ("01", "1:1"), ("1.", "1:1"), (".5", "1:1"), ("+1", "1:1"), ("1e", "1:1"), ("NaN", "1:1"),
        ("1e999", "1:1"), ("'a'", "1:1"), ("[1,]", "1:4"), ("[1 2]", "1:4"), ("[", "1:2"),
        ("{\"a\" 1}", "1:6"), ("{\"a\": }", "1:7"), ("{a: 1}", "1:2"), ("\"a\nb\"", "1:3"),
        (#""\x""#, "1:3"), (#""\u12g4""#, "1:4"), (#""\ud800""#, "1:8"), (#""\udc00""#, "1:8"),
        ("1 // x", "1:3"), ("[1] 2", "1:5"), ("", "1:1"), ("\"a", "1:3"), ("{\"a\": 1", "1:8"),
    ])
    func json(_ text: String, _ wanted: String) {
        #expect(read(.json, Array(text.utf8)) == wanted, "\(text)")
    }

    @Test(arguments: [
        ("a: 1\nb: [x, 'y', \"\\u00e9\"]\n", "{a: 1, b: [\"x\", \"y\", \"é\"]}"),
        ("- ~\n- null\n- \n- ''\n- 'null'\n", "[null, null, null, \"\", \"null\"]"),
        ("- true\n- yes\n- 0x1F\n- 0o17\n- 017\n", "[true, \"yes\", 31, 15, 17]"),
        (
            "- 1.5\n- 1e3\n- .inf\n- nan\n- 1.2.3\n- -\n",
            "[1.5, 1000.0, inf, \"nan\", \"1.2.3\", [null]]"
        ),
        (
            "- 1_000\n- 12:30\n- !!str 1\n- !!int '1'\n- !x 1\n",
            "[\"1_000\", \"12:30\", \"1\", 1, \"1\"]"
        ),
        ("a\n---\nb: 1\n...\n", "\"a\" / {b: 1}"), ("", ""), ("---\n", "null"),
        ("a: &x [1, 2]\nb: *x\n", "{a: [1, 2], b: [1, 2]}"),
        (
            "d: &d {a: 1, b: 2}\ne:\n  <<: *d\n  b: 3\n",
            "{d: {a: 1, b: 2}, e: {b: 3, a: 1}}"
        ),
        ("t: |\n  a\n  b\nf: >\n  a\n  b\n", "{t: \"a\nb\n\", f: \"a b\n\"}"),
        ("1: a\n? [x]\n: b\n", "{1: \"a\", [key at line 2, column 3]: \"b\"}"),
        ("a: *x\n", "1:4"), ("a: &x [*x]\n", "1:8"), ("a: 1\n b: 2\n", "2:3"), ("a: b: c\n", "1:5"),
        ("a: 'x\n", "2:1"), ("- 1\nb: 2\n", "2:1"), ("{a: 1, a: 2}", "1:8"), ("a: @x\n", "1:4"),
        ("<<: 1\n", "1"), ("%YAML 9.9\n---\na\n", "1:1"), ("a: \"\\z\"\n", "1:5"),
    ])
    func yaml(_ text: String, _ wanted: String) {
        #expect(read(.yaml, Array(text.utf8)) == wanted, "\(text)")
    }

    @Test func aliasesThatStandForTooMuchAreALimitAndTakeNoTime() {
        var text = "a0: &a0 [1, 1]\n"
        for level in 1...40 {
            text += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n"
        }
        let error = #expect(throws: DocumentError.self) {
            try YAMLReader.read(Array(text.utf8))
        }
        #expect(error?.isLimit == true, "\(String(describing: error))")
    }

    @Test(arguments: [DocumentFormat.json, .yaml, .toml])
    func deepNestingIsALimit(_ format: DocumentFormat) {
        let text = (format == .toml ? "a = " : "") + String(repeating: "[", count: 100_000)
        let error = #expect(throws: DocumentError.self) { try format.read(Array(text.utf8)) }
        #expect(error?.isLimit == true, "\(String(describing: error))")
    }

    @Test(arguments: DocumentFormat.allCases)
    func bytesThatAreNotUTF8AreRefusedWithTheirPlace(_ format: DocumentFormat) {
        let start = Array((format == .json ? "{\n\"é\": \"" : "a = 1\n# é ").utf8)
        let text = read(format, start + [0xFF] + Array("\"}".utf8))
        #expect(text.hasPrefix("2:"), "\(text)")
    }

    @Test(arguments: [
        (
            "a=1\nb : 2 = 3\n[s]\n  c = x\n  d\n[t]\n",
            "{a: \"1\", b: \"2 = 3\", s: {c: \"x\nd\"}, t: {}}"
        ),
        ("[s] ; c\r\nx =\r\n", "{s: {x: \"\"}}"),
        ("[s]\n[t]\n[s]\nx=1\n", "{s: {x: \"1\"}, t: {}}"),
        ("[s\n", "1:3"), ("[]\n", "1:1"), ("[s] x\n", "1:5"), ("= 1\n", "1:1"), ("a\n", "1:1"),
        ("[s]\n  d\n", "2:3"), ("a = \u{0}\n", "1:5"),
    ])
    func ini(_ text: String, _ wanted: String) {
        #expect(read(.ini, Array(text.utf8)) == wanted, "\(text)")
    }

    /// Whatever a file holds, a reader reads it or says where it fails.
    @Test(arguments: DocumentFormat.allCases)
    func bytesThatWereTornOrChangedNeverTrap(_ format: DocumentFormat) {
        let whole: String =
            switch format {
            case .yaml: "a: &x [1, \"\\u00e9\"]\n? {b: *x}\n: |\n  t\n---\n<<: {c: ~}\n"
            case .json: #"{"a": [1.5e-3, "\u00e9\ud83d\ude00", null], "é": {"b": [true]}}"#
            case .toml:
                "a.\"b\" = [0x1F, 1979-05-27 07:32:00Z]\n[[c]]\nd = {e = \"\"\"\\\n x\"\"\"\"}\n"
            case .ini: "a = 1\n[s] ; c\n b : 2\n  more\r\n"
            }
        let bytes = Array(whole.utf8)
        let marks =
            Array("[]{}:,\"'\\#&*!|-=.+ \n\t\r0xeT\u{0}~<@%".utf8) + [0x80, 0xC3, 0xF0, 0xFF]
        #expect((try? format.read(bytes)) != nil)
        for place in bytes.indices {
            var texts = [Array(bytes[..<place]), Array(bytes[place...])]
            for byte in marks {
                texts.append(bytes[..<place] + [byte] + bytes[(place + 1)...])
            }
            for text in texts {
                do throws(DocumentError) {
                    _ = try format.read(text)
                } catch {
                    // libyaml ends the last line before it misses something behind it.
                    let lines = text.count { $0 == 0x0A || $0 == 0x0D } + 2
                    #expect((1...lines).contains(error.line), "\(error) in \(text)")
                }
            }
        }
    }

    @Test func theEndOfANameSaysTheFormat() {
        let wanted: [(String, DocumentFormat?)] = [
            ("/a/b.YML", .yaml), ("/a/b.yaml", .yaml), ("/a/b.json", .json), ("/a/b.toml", .toml),
            ("/a/b.ini", .ini), ("/a/b.conf", nil), ("/a.json/b", nil), ("/a/json", nil),
        ]
        for (path, format) in wanted { #expect(DocumentFormat(path: path) == format, "\(path)") }
    }
}

@Suite struct JSONSchemaTests {
    @Test(arguments: [
        (#"{"type": ["string", "null"]}"#, ["null", "\"a\""], ["1", "true", "[]", "{}"]),
        (#"{"type": "number"}"#, ["1", "1.5"], ["\"1\"", "null"]),
        (#"{"type": "integer"}"#, ["1", "1.0"], ["1.5"]),
        (#"{"const": {"a": [1, "x"]}}"#, [#"{"a": [1.0, "x"]}"#], [#"{"a": [1]}"#, "1", "{}"]),
        (#"{"enum": [1, "1", null]}"#, ["1", "1.0", "\"1\"", "null"], ["2", "false", "[1]"]),
        (#"{"exclusiveMinimum": 1, "exclusiveMaximum": 2}"#, ["1.5", "\"a\""], ["1", "2"]),
        (#"{"minimum": 1, "maximum": 2}"#, ["1", "2"], ["0.9", "2.1"]),
        (#"{"minLength": 2, "maxLength": 3}"#, ["\"é😀\"", "1"], ["\"a\"", "\"abcd\""]),
        (#"{"minItems": 1, "maxItems": 2}"#, ["[1]", "{}"], ["[]", "[1, 2, 3]"]),
        (#"{"minProperties": 1, "maxProperties": 1}"#, [#"{"a": 1}"#], ["{}", #"{"a":1,"b":1}"#]),
        (#"{"items": {"type": "integer"}}"#, ["[]", "[1]", "1"], [#"[1, "a"]"#]),
        (#"{"items": false}"#, ["[]"], ["[1]"]),
        (#"{"required": ["a"]}"#, [#"{"a": null}"#, "1"], ["{}", #"{"b": 1}"#]),
        (
            #"{"properties": {"a": true}, "additionalProperties": {"type": "integer"}}"#,
            [#"{"a": "x", "b": 1}"#], [#"{"b": "x"}"#]
        ),
        (
            #"{"pattern": "^[a-z]+\\d$"}"#, ["\"a1\"", "1"],
            ["\"a\"", "\"A1\"", "\"a1 \"", "\"a٣\""]
        ),
        (#"{"pattern": "b"}"#, ["\"abc\""], ["\"ac\""]),
        (#"{"pattern": "^a$"}"#, ["\"a\""], [#""a\n""#, #""b\na""#]),
        ("false", [], ["1", "{}"]),
    ])
    func valuesFitOrDoNot(_ schema: String, _ fit: [String], _ others: [String]) throws {
        func value(_ text: String) throws -> DocumentValue {
            try #require(try JSONReader.read(Array(text.utf8)).values.first)
        }
        let schema = try JSONSchema(try value(schema))
        for text in fit {
            #expect(schema.problems(of: try value(text)).isEmpty, "\(text)")
        }
        for text in others {
            #expect(!schema.problems(of: try value(text)).isEmpty, "\(text)")
        }
    }
}
