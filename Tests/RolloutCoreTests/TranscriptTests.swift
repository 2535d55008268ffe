import Foundation
import Testing

/// Golden transcripts: read as stories, compared as text. `BELAY_REWRITE=1` writes them anew.
@Suite struct TranscriptTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Transcripts")

    static var names: [String] {
        let found = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return found.filter { $0.hasSuffix(".txt") }.sorted()
    }

    @Test func `There are transcripts`() { #expect(Self.names.count >= 9) }

    @Test(arguments: names)
    func `The machine does what the transcript says`(name: String) throws {
        let file = Self.folder.appendingPathComponent(name)
        let golden = try String(contentsOf: file, encoding: .utf8)
        var run = TranscriptRun()
        for line in golden.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("#") { run.lines.append(String(line)) }
            guard line.hasPrefix("> ") else { continue }
            run.lines.append(String(line))
            run.run(String(line.dropFirst(2)))
        }
        let trace = run.lines.joined(separator: "\n") + "\n"
        if ProcessInfo.processInfo.environment["BELAY_REWRITE"] == "1" {
            try Data(trace.utf8).write(to: file)
        } else {
            let old = golden.split(separator: "\n")
            let new = trace.split(separator: "\n")
            let place = zip(old, new).enumerated().first { $1.0 != $1.1 }
            #expect(
                golden == trace,
                "\(name) differs at line \((place?.offset ?? min(old.count, new.count)) + 1)")
        }
        #expect(!trace.contains("\n  ? "), "a line of the script was not understood")
    }
}
