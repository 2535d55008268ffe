import FoundationEssentials
import Synchronization

/// What the demo claims, and whether it held.
final class Claims: Sendable {
    /// One claim.
    struct Claim: Codable, Sendable {
        var scene: Int
        var claim: String
        var held: Bool
        /// What was seen from outside.
        var seen: String
    }

    private let list = Mutex<[Claim]>([])

    var all: [Claim] { list.withLock { $0 } }
    var allHeld: Bool { !all.isEmpty && all.allSatisfy(\.held) }

    /// Notes and prints whether a claim held.
    func check(_ scene: Int, _ claim: String, _ held: Bool, seen: String) {
        list.withLock { $0.append(Claim(scene: scene, claim: claim, held: held, seen: seen)) }
        Narrator.line("  \(Narrator.verdict(held)) \(claim): \(seen)")
    }

    /// Prints how many held, and again those that did not.
    func printResult() {
        let all = all
        for claim in all where !claim.held {
            Narrator.line(
                "  \(Narrator.verdict(false)) scene \(claim.scene): \(claim.claim): \(claim.seen)")
        }
        Narrator.line("  \(all.count { $0.held }) of \(all.count) claims held")
    }

    /// Writes all claims as JSON.
    func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let data: Data
        do {
            data = try encoder.encode(all)
        } catch {
            throw DemoFailure("cannot write the claims: \(error)")
        }
        try TextFile.write(String(decoding: data, as: UTF8.self) + "\n", to: path)
    }
}
