import FleetWire
import FoundationEssentials
import Glibc
import HostProcesses
import Testing

@testable import HostValidators

@Suite struct TOMLTests {
    static let valid = [
        "", "a = 1", "a.b.\"c d\" = 1\na.'x' = 2", "[a.b]\nc = 1\n[a]\nd = 2",
        "[a]\nb.c = 1\nb.d = 2\n[a.b.e]\nf = 1", "[[a]]\nb = 1\n[[a]]\n[a.c]\nd = 1\n[[a.e]]",
        "a = [1, [2, 'x'],\n # c\n 3,\n]", "a = {b = 1, c.d = {}, e = [{f = 1}]}",
        "a = +1_000\nb = -0\nc = 0xDEAD_beef\nd = 0o17\ne = 0b1\nf = 9223372036854775807",
        "a = 1.5\nb = -1e3\nc = 6.6_2E-3_4\nd = inf\ne = -nan\nf = 0.0",
        "a = 1979-05-27\nb = 07:32:00.5\nc = 1979-05-27T07:32:00Z\nd = 1979-05-27 07:32:00-07:00",
        "a = 2000-02-29", "a = \"\\t\\u00e9\\U0001F600\\\\\" # c", "a = 'C:\\x'\r\nb = true",
        "a = \"\"\"\nx\\\n   \n y\"\"\"\"\nb = '''\n'q'''''", "a = \"\"\"\"\"\"", "-1_a = false",
        "[ a . 'b' ]\nx=1", "# only\n\n", "a = [\n]", "\"\" = 1",
    ]

    static let invalid = [
        "a", "a =", "a = 1 b = 2", "= 1", "a = 1\na = 2", "[a]\n[a]", "[a]\nb = 1\n[a.b]",
        "a.b = 1\n[a]", "[a]\nb.c = 1\n[a.b]", "a = {}\n[a.b]", "a = {b = 1}\na.c = 2",
        "a = [{}]\n[[a]]", "[[a]]\n[a]", "[a]\n[[a]]", "[a.b.c]\nz = 1\n[a]\nb.c.t = 2", "[a",
        "[[a]", "[[a] ]", "[]", "[a.]", "a = [1 2]", "a = [1", "a = {b = 1,}", "a = {b = 1\n}",
        "a = 01", "a = 1_", "a = _1", "a = 1__0", "a = 0X1", "a = +0x1", "a = 0b2", "a = 1.",
        "a = .5", "a = 1e", "a = 9223372036854775808", "a = Inf", "a = tru", "a = True",
        "a = 1979-02-29", "a = 1979-13-01", "a = 24:00:00", "a = 07:32", "a = 1979-05-27T",
        "a = 1979-05-27T07:32:00+7:00", "a = \"x", "a = 'x\n'", "a = \"\\x\"", "a = \"\\ud800\"",
        "a = \"\\u12\"", "a = \"\"\"x", "a = '''x''''''", "a = \"\u{1}\"", "# \u{1}", "a = 'x'y",
        "a\n= 1", "a = \n1", "[a] b = 1", "a = 1\r", "a b = 1", "a..b = 1", "é = 1", "a = {b}",
    ]

    @Test(arguments: valid)
    func isRead(_ text: String) throws {
        _ = try TOMLReader.read(Array(text.utf8))
    }

    @Test(arguments: invalid)
    func isRefused(_ text: String) {
        #expect(throws: DocumentError.self) { try TOMLReader.read(Array(text.utf8)) }
    }

    @Test func valuesAreThoseThatStandThere() throws {
        let text = """
            a.b = 0x1F
            c = [1_0, 2.5e1, "x\\ty", 'z']
            d = 1979-05-27 07:32:00Z
            [[t]]
            e = {f = true}
            [[t]]
            [t.g]
            h = \"\"\"
            l1
            l2\"\"\"
            """
        let value = try #require(try TOMLReader.read(Array(text.utf8)).values.first)
        #expect(
            DocumentTests.shown(value)
                == "{a: {b: 31}, c: [10, 25.0, \"x\ty\", \"z\"], d: \"1979-05-27T07:32:00Z\", "
                + "t: [{e: {f: true}}, {g: {h: \"l1\nl2\"}}]}")
    }

    // MARK: - Against another reader

    private static let peer =
        "import json, sys, tomllib\n"
        + "def ok(t):\n try: tomllib.loads(t); return True\n"
        + " except (ValueError, RecursionError): return False\n"
        + "print(json.dumps([ok(t) for t in json.load(open(sys.argv[1]))]))"

    private static func python(_ arguments: [String]) async -> ProcessRun.Result? {
        let context = TemplateContext(
            root: "/", host: HostID(unchecked: "h"), labels: [:], facts: [:], variables: [:])
        guard
            var run = try? context.processRun(
                argv: ["python3"] + arguments, timeout: .seconds(60))
        else { return nil }
        run.outputBytesMax = 1 << 20
        return await run.run()
    }

    /// Texts that were changed at random are taken and refused as Python's reader does it.
    @Test(
        .enabled("python3 with tomllib (3.11 or newer) is not installed") {
            await python(["-c", "import tomllib"])?.ending == .exited(0)
        })
    func anotherReaderTakesTheSame() async throws {
        var random = Random(state: 7)
        // Numbers of Python have no limit.
        let valid = Self.valid.map { $0.replacing("9223372036854775807", with: "922337203685477") }
        let invalid = Self.invalid.filter { !$0.contains("9223372036854775808") }
        var texts = valid + invalid
        for _ in 0..<4000 { texts.append(random.changed(valid)) }
        let file = "/tmp/belay-toml-\(UInt64.random(in: 0 ... .max)).json"
        try JSONEncoder().encode(texts).write(to: URL(filePath: file))
        defer { unlink(file) }
        let result = try #require(await Self.python(["-c", Self.peer, file]))
        let wanted = try JSONDecoder().decode([Bool].self, from: Data(result.output))
        try #require(wanted.count == texts.count)
        for (text, isWanted) in zip(texts, wanted) {
            let isRead = (try? TOMLReader.read(Array(text.utf8))) != nil
            #expect(isRead == isWanted, "\(text.debugDescription)")
        }
        #expect(wanted.count { $0 } > 500 && wanted.count { !$0 } > 500)
    }

    private struct Random {
        var state: UInt64

        mutating func below(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % count
        }

        /// One or two of the texts, with some characters deleted, replaced or inserted.
        mutating func changed(_ texts: [String]) -> String {
            var text = Array(texts[below(texts.count)])
            if below(4) == 0 { text += "\n" + texts[below(texts.count)] }
            let marks = Array("[]{}=.,\"'#\\_-+:01eTx \n\t")
            for _ in 0...below(2) where !text.isEmpty {
                let place = below(text.count)
                switch below(3) {
                case 0: text.remove(at: place)
                case 1: text[place] = marks[below(marks.count)]
                default: text.insert(marks[below(marks.count)], at: place)
                }
            }
            return String(text)
        }
    }
}
