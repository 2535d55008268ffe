import FleetWire
import OperatorAPI
import RolloutCore
import Testing

@testable import belay

@Suite("What people see of texts that came from hosts", .serialized) struct AudienceTests {
    private func shown(_ text: String) throws -> String {
        let json = try WireJSON.encode([text])
        return try WireJSON.decode([String].self, from: Audience.visible(json)).first ?? ""
    }

    @Test("Nothing that steers a terminal gets through, in whatever way it was written")
    func steering() throws {
        #expect(try shown("\u{1B}]0;owned\u{7}\r\u{8}\u{C}") == "␛]0;owned␇␍␈␌")
        #expect(try shown("\u{9B}31m \u{202E}txt\u{7F}") == "\u{FFFD}31m \u{FFFD}txt␡")
        let escaped = Array(#"["\u001B[2J\u009b\u202e"]"#.utf8)
        #expect(
            try WireJSON.decode([String].self, from: Audience.visible(escaped))
                == ["␛[2J\u{FFFD}\u{FFFD}"])
    }

    @Test("Other text, escapes and broken JSON pass unchanged")
    func harmless() throws {
        for text in ["a\\u001b", #"\\ " / é 日本 👍"#, "two\nlines\tand a tab"] {
            #expect(try shown(text) == text)
        }
        for broken in [#"["\"#, #"["\u00"#, #"["\u"#, "\u{1B}"] {
            _ = Audience.visible(Array(broken.utf8))
        }
        #expect(Audience.visible([0xC2]) == [0xC2])
        #expect(Audience.visible([0xE2, 0x80]) == [0xE2, 0x80])
    }

    @Test("A text with line feeds stays within its line of a table and of the history")
    func forgedLines() {
        var table = TextTable(["A", "B"])
        table.rows = [["x", "bad\n00:00:00Z  b1  is committed"]]
        #expect(table.lines(style: .plain).count == 2)
        #expect(table.lines(style: .plain).allSatisfy { !$0.contains("\n") })
    }
}
