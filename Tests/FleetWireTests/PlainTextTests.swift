import FleetWire
import Testing

@Suite("Text that came from outside") struct PlainTextTests {
    @Test("Control characters and changes of direction become visible, other text stays")
    func steering() {
        #expect(PlainText.visible("\u{1B}[31mred\u{7}") == "␛[31mred␇")
        #expect(PlainText.visible("a\rb\u{7F}\u{9B}31m\u{202E}x") == "a␍b␡\u{FFFD}31m\u{FFFD}x")
        let plain = "Grüße\n\tzwei Zeilen – 日本 👩‍👩‍👧"
        #expect(PlainText.visible(plain) == plain)
    }

    @Test("As one line nothing can begin another one")
    func oneLine() {
        #expect(PlainText.line("a\nb\tc\r\nd\u{2028}e") == "a⏎b c␍⏎d⏎e")
    }
}
