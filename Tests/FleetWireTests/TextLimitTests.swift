import FleetWire
import Testing

@Suite struct TextLimitTests {
    private static let hostile = [
        String(repeating: "a", count: 20_000), String(repeating: "\u{1}", count: 20_000),
        String(repeating: "\"\\\n", count: 7_000), String(repeating: "é漢🧭", count: 2_000), "",
    ]

    @Test("a text is cut so that its JSON fits, with a word", arguments: hostile)
    func cut(_ text: String) throws {
        for part in [String.Part.beginning, .end] {
            let short = text.cut(toJSONBytes: 1000, keeping: part)
            #expect(try WireJSON.encode([short]).count <= 1000 + 4)
            if !text.isEmpty { #expect(short.contains("[cut]")) }
        }
        #expect(text.cut(toJSONBytes: 10_000_000) == text)
    }

    @Test("the end of an output and the beginning of a sentence are what is kept")
    func parts() {
        let text = "first" + String(repeating: "-", count: 100) + "last"
        #expect(text.cut(toJSONBytes: 20).hasPrefix("first"))
        #expect(text.cut(toJSONBytes: 20, keeping: .end).hasSuffix("last"))
    }

    @Test(
        "500 results of a host that shouts fit one frame, and none is left out", arguments: hostile)
    func results(_ text: String) throws {
        let result = CheckResult(
            name: String(repeating: "n", count: 256), kind: "run", level: .critical, status: .fail,
            measured: text, remedy: text, took: .zero)
        let fitted = Array(repeating: result, count: 500).fittingFrame()
        #expect(fitted.count == 500)
        #expect(try WireJSON.encode(fitted).count < FrameLimits.v1.payloadBytesMax * 9 / 10)
    }

    @Test("lines that do not fit are left out and counted")
    func lines() throws {
        let lines = Array(repeating: String(repeating: "p", count: 4000), count: 1000)
        let kept = lines.fitting(jsonBytes: 500_000)
        #expect(try WireJSON.encode(kept).count < 520_000)
        #expect(kept.last == "[cut] \(1000 - kept.count + 1) more are left out")
        #expect(["a", "b"].fitting(jsonBytes: 100) == ["a", "b"])
    }
}
