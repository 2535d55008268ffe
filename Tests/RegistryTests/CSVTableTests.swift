import RegistryCore
import Testing

@Suite("CSV") struct CSVTableTests {
    @Test("Quotes, line ends and a byte order mark are read as RFC 4180 says")
    func quotes() throws {
        let text = "\u{FEFF}name,note\r\n\"a, b\",\"says \"\"x\"\"\"\r\nc,\"two\nlines\"\n"
        let table = try CSVTable(parsing: Array(text.utf8))
        #expect(table.columns == ["name", "note"])
        #expect(table.rows == [["a, b", "says \"x\""], ["c", "two\nlines"]])
    }

    @Test(
        "Malformed tables are refused with their line",
        arguments: [
            ("", "empty"), ("a,a\n1,2\n", "repeated"), ("a,b\n1\n", "line 2 has 1 fields"),
            ("a\n\"b", "never closed"), ("a\nb\"c\n", "line 2"), ("a\n\"b\"c\n", "line 2"),
        ])
    func malformed(text: String, part: String) {
        do throws(RegistryProblem) {
            _ = try CSVTable(parsing: Array(text.utf8))
            Issue.record("\(text) was taken")
        } catch {
            #expect(error.kind == .invalid)
            #expect(error.description.contains(part), "\(error)")
        }
    }

    @Test("Bytes that are not UTF-8 are refused")
    func notText() {
        #expect(throws: RegistryProblem.self) { try CSVTable(parsing: [0x61, 0x0A, 0xFF, 0x0A]) }
    }

    @Test("A column is numeric only if all its values are finite decimals")
    func numbers() throws {
        let table = try CSVTable(parsing: Array("a,b,c,d\n1,nan,,0x1\n,2,,3\n-2e1,1,,4\n".utf8))
        #expect(table.numbers(inColumn: 0) == [1, nil, -20])
        #expect(table.numbers(inColumn: 1) == nil)
        #expect(table.numbers(inColumn: 2) == nil)
        #expect(table.numbers(inColumn: 3) == nil)
    }
}
