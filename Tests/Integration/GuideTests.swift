import Foundation
import Testing

/// Runs what the guides tell readers to run.
@Suite("Guides")
struct GuideTests {
    static let repository = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    /// In the order in which a reader goes through them: each begins where the one before ended.
    static let pages = ["getting-started", "rollback", "troubleshooting", "operations"]
        .map { "docs/guides/\($0).md" }
    /// Guides whose commands are not run here, and why.
    static let elsewhere = [
        "docs/guides/demo.md": "its commands need the demo fleet; `make demo` runs the same ones",
        "docs/guides/simulation.md": "its runs take minutes in a debug build",
    ]

    @Test("Every command of the guides does what the guide says, from nothing to the last page")
    func guides() async throws {
        let fleet = try GuideFleet()
        do {
            for name in Self.pages {
                let page = try GuidePage(
                    path: Self.repository.appendingPathComponent(name).path, named: name)
                #expect(
                    page.blocks.contains { if case .run = $0.kind { true } else { false } },
                    "\(name) has nothing to run")
                for block in page.blocks { try await fleet.carryOut(block) }
            }
        } catch {
            let logs = (["coordinator"] + GuideFleet.hosts).map { "--- \($0)\n\(fleet.tail($0))" }
            await fleet.end()
            throw Trouble("\(error)\n\(logs.joined(separator: "\n"))")
        }
        await fleet.end()
    }

    @Test("No guide is left out, and whatever README has that is not run says why")
    func complete() throws {
        let folder = Self.repository.appendingPathComponent("docs/guides").path
        let found = try FileManager.default.contentsOfDirectory(atPath: folder)
            .filter { $0.hasSuffix(".md") }.map { "docs/guides/\($0)" }
        #expect(Set(found) == Set(Self.pages).union(Self.elsewhere.keys))
        let readme = try GuidePage(
            path: Self.repository.appendingPathComponent("README.md").path, named: "README.md")
        for block in readme.blocks {
            guard case .skipped = block.kind else {
                Issue.record("\(block.place) is not run and does not say why")
                continue
            }
        }
    }

    @Test("A command that ends otherwise than its guide says is found")
    func planted() async throws {
        let page = try GuidePage(
            text: """
                <!-- exit 3 -->
                ```sh
                export BELAY_X=1
                exit 3
                ```

                <!-- not run: no reason at all -->
                ```sh
                exit 1
                ```

                ```sh
                test "$BELAY_X" = 1
                false | true
                ```
                """, named: "planted")
        let fleet = try GuideFleet()
        try await fleet.carryOut(page.blocks[0])
        try await fleet.carryOut(page.blocks[1])
        await #expect(throws: Trouble.self) { try await fleet.carryOut(page.blocks[2]) }
        await fleet.end()
        #expect(throws: GuidePage.Malformed.self) {
            try GuidePage(text: "<!-- maybe -->\n```sh\ntrue\n```\n", named: "planted")
        }
    }
}
