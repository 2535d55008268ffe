import FleetWire
import RolloutPlan
import Testing

@testable import belay

@Suite("Text for terminals")
struct TextTests {
    @Test(
        "spans",
        arguments: [
            (-5, "0s"), (0, "0s"), (40, "40ms"), (840, "840ms"), (1000, "1s"), (3200, "3.2s"),
            (9999, "9.9s"), (42_900, "42s"), (60_000, "1m"), (102_000, "1m 42s"),
            (7_500_000, "2h 5m"), (86_400_000, "1d"), (.max, "106751991167d 7h"),
        ] as [(Int64, String)])
    func spans(milliseconds: Int64, text: String) {
        #expect(QuantityText.span(Milliseconds(milliseconds)) == text)
    }

    @Test(
        "spans are read",
        arguments: [
            ("500ms", 500), ("30s", 30_000), ("5m", 300_000), ("2h", 7_200_000),
            ("7d", 604_800_000), ("", nil), ("5", nil), ("-5s", nil), ("5 s", nil), ("s", nil),
            ("99999999999999999999d", nil), ("9223372036854775807d", nil),
        ] as [(String, Int64?)])
    func readSpans(text: String, milliseconds: Int64?) {
        #expect(QuantityText.span(parsing: text)?.count == milliseconds)
    }

    @Test(
        "sizes",
        arguments: [
            (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"),
            (5_242_880, "5.0 MiB"), (157_286_400, "150 MiB"), (.max, "16777216 TiB"),
        ] as [(UInt64, String)])
    func sizes(bytes: UInt64, text: String) {
        #expect(ByteCount(bytes).text == text)
    }

    @Test(
        "moments",
        arguments: [
            (0, "1970-01-01 00:00:00Z"), (951_782_400_000, "2000-02-29 00:00:00Z"),
            (1_795_500_000_000, "2026-11-24 06:00:00Z"), (-1000, "1969-12-31 23:59:59Z"),
        ] as [(Int64, String)])
    func moments(milliseconds: Int64, text: String) {
        #expect(QuantityText.date(Timestamp(milliseconds: milliseconds)) == text)
    }

    @Test("ages have one unit")
    func ages() {
        let now = Timestamp(milliseconds: 1_000_000_000)
        let ages = [0, 59_999, 60_000, 7_199_000, 200_000_000, -5000].map {
            Timestamp(milliseconds: 1_000_000_000 - $0).age(at: now)
        }
        #expect(ages == ["0s", "59s", "1m", "1h", "2d", "0s"])
    }

    @Test(
        "width counts columns, not bytes",
        arguments: [
            ("", 0), ("abc", 3), ("é", 1), ("e\u{301}", 1), ("日本", 4), ("🚀", 2),
            ("\u{1B}[31mred\u{1B}[0m", 3), ("━━", 2),
        ])
    func widths(text: String, columns: Int) {
        #expect(DisplayWidth.of(text) == columns)
    }

    @Test("cutting keeps to the width and closes colours")
    func cutting() {
        #expect(DisplayWidth.cut("abcdef", to: 4) == "abc…")
        #expect(DisplayWidth.cut("abc", to: 3) == "abc")
        #expect(DisplayWidth.of(DisplayWidth.cut("日本語", to: 4)) <= 4)
        #expect(
            DisplayWidth.cut("\u{1B}[31mabcdef\u{1B}[0m", to: 3) == "\u{1B}[31mab…\u{1B}[0m")
    }

    @Test("numbers stand at the right, coloured cells keep their column, flexible ones give way")
    func table() {
        let style = Style(color: true, unicode: true)
        var table = TextTable(["NAME", "N", "WHAT"], right: ["N"], flexible: ["WHAT"])
        table.rows = [
            [style.paint("日本", .good), "7", "a long explanation"], ["b", "1200", "short"],
        ]
        #expect(
            table.lines(style: .plain, width: 26) == [
                "NAME     N  WHAT", "\u{1B}[32m日本\u{1B}[0m     7  a long explan…",
                "b     1200  short",
            ])
        #expect(TextTable(["A"]).lines(style: .plain, empty: "nothing") == ["nothing"])
    }

    @Test("colour follows NO_COLOR, TERM and pipes")
    func colour() {
        #expect(Style(isTerminal: true, environment: ["LANG": "C.UTF-8"]).color)
        #expect(!Style(isTerminal: true, environment: ["NO_COLOR": "1"]).color)
        #expect(!Style(isTerminal: true, environment: ["TERM": "dumb"]).color)
        #expect(!Style(isTerminal: false, environment: [:]).color)
        #expect(
            Style(isTerminal: true, environment: ["LC_ALL": "C", "LANG": "C.UTF-8"]).unicode
                == false)
    }

    @Test("problems of a plan are printed as editors know them")
    func problems() {
        let problem = PlanProblem(
            severity: .error, file: "p.yaml", line: 3, column: 5, message: "unknown key \"wavs\"")
        #expect(
            FailureText.lines([problem], style: .plain)
                == ["p.yaml:3:5: error: unknown key \"wavs\""])
    }

    @Test(
        "words are quoted for a shell only where they need it",
        arguments: [("a/b.yaml", "a/b.yaml"), ("a b", "'a b'"), ("it's", "'it'\\''s'"), ("", "''")])
    func quoting(word: String, quoted: String) {
        #expect(ShellWord.quote(word) == quoted)
    }

    @Test("paths and queries escape what comes from outside")
    func paths() {
        #expect(
            Path("/v1/hosts").adding("a/../b").asking([("selector", "a in (b,c)&x"), ("y", nil)])
                .text == "/v1/hosts/a%2F..%2Fb?selector=a%20in%20%28b%2Cc%29%26x")
    }
}
