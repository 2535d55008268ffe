import FleetWire
import RolloutPlan
import Testing

/// A small generator (xorshift), so that a seed replays everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }
    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}

struct MutationTests {
    /// Bytes that mean something in YAML, templates or quantities, more likely to hit than others.
    private static let sharp = Array("{}[]:,#&*!|>'\"%@`-?<~ \n\t0\u{0}".utf8) + [0xFF, 0xC3, 0xF0]

    @Test(arguments: 0..<400)
    func `bytes that were changed at random give a plan or problems, never a crash`(
        seed: Int
    ) throws {
        var generator = SeededGenerator(seed: UInt64(seed) + 1)
        var source = try bytes(of: seed % 2 == 0 ? LoadingTests.example : LoadingTests.full)
        for _ in 0..<Int.random(in: 1...8, using: &generator) {
            let place = Int.random(in: 0..<source.count, using: &generator)
            let sharp = Self.sharp.randomElement(using: &generator) ?? 0
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: source[place] = sharp
            case 1: source.insert(sharp, at: place)
            case 2: source.remove(at: place)
            case 3: source[place] = UInt8.random(in: 0...255, using: &generator)
            default:
                let end = Int.random(in: place..<source.count, using: &generator)
                source.insert(contentsOf: source[place..<end].prefix(200), at: place)
            }
        }
        do {
            let loaded = try PlanLoader.load(bytes: source, path: "seed-\(seed).yaml")
            _ = try? loaded.plan.resolve(against: sixHosts)
        } catch {
            #expect(!error.problems.isEmpty)
            #expect(!error.rendered(source: String(decoding: source, as: UTF8.self)).isEmpty)
        }
    }

    @Test(arguments: [
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
            + (0..<12).map { level in
                let name = level == 0 ? "a" : "n\(level - 1)"
                return "n\(level): &n\(level) ["
                    + Array(repeating: "*\(name)", count: 9).joined(separator: ", ") + "]\n"
            }.joined() + "variables: *n11\nstages: *n11\n",
        String(repeating: "[", count: 100_000), String(repeating: "- ", count: 100_000),
        "stages: " + String(repeating: "{a: ", count: 900) + String(repeating: "}", count: 900),
        "a: &a {b: *a}\n", String(repeating: "a", count: (1 << 20) + 1), "\u{FEFF}belay: 1\n",
        "\u{0}", "%YAML 9.9\n---\na: 1\n", "!!binary x: 1\n", "? [a, b]\n: c\n", "? {a: b}\n: c\n",
    ])
    func `bombs, depth and odd documents are refused in no time`(text: String) {
        #expect(throws: PlanProblems.self) {
            try PlanLoader.load(bytes: Array(text.utf8), path: "p.yaml")
        }
    }

    @Test(arguments: [
        "*n11 : x", "*n11: x", "? *n11\n: x", "[*n11, *n11]: x", "{? *n11 : x}", "?\n  - *n11\n: x",
    ])
    func `a bomb in a key is refused before it is hashed`(key: String) {
        let bomb =
            "n0: &n0 [x, x]\n"
            + (1..<12).map { level in
                let aliases = Array(repeating: "*n\(level - 1)", count: 9)
                return "n\(level): &n\(level) [\(aliases.joined(separator: ", "))]\n"
            }.joined()
        let text = bomb + "stages:\n" + key.split(separator: "\n").map { "  \($0)\n" }.joined()
        do {
            _ = try PlanLoader.load(bytes: Array(text.utf8), path: "p.yaml")
            Issue.record("the bomb was taken")
        } catch {
            #expect(error.problems.map(\.line) == [14])
        }
    }

    @Test func `anchors and aliases are followed`() throws {
        let text = """
            belay: 1
            name: p
            targets: {selector: app}
            stages:
              migration:
                steps:
                  - name: a
                    wait: &pause {span: 1s}
                  - {name: b, wait: *pause}
              verification:
                checks:
                  - {name: h, http: {url: "http://127.0.0.1/"}}
            """
        let plan = try PlanLoader.load(bytes: Array(text.utf8), path: "p.yaml").plan
        #expect(plan.stages[0].steps[0].action == plan.stages[0].steps[1].action)
    }
}
