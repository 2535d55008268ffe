import FleetWire
import Foundation
import Glibc
import Testing

@testable import HostSnapshots

@Suite struct ExcludeTests {
    private static let hasGit = (try? Scratch.run(["git", "--version"])) != nil

    /// Patterns that each ask for something else of gitignore(5).
    private static let lines: [[String]] = [
        ["a"], ["*.log", "!keep.log"], ["/a"], ["a/b"], ["a/"], ["b/"], ["**/b"], ["a/**"],
        ["a/**/b"], ["**"], ["a**"], ["**/"], ["/**/b/"], ["*"], ["*", "!a"], ["*/", "!a/"],
        ["# a", "a b"], ["\\#hash"], ["\\!bang"], ["a b "], ["trailing\\ "], ["   "], ["!"],
        ["[ab]"], ["[!a]"], ["[^a-c]*"], ["[]]"], ["[a"], ["[[:digit:]]"], ["[[:nothing:]]"],
        ["x[[:upper:]-]y"], ["\\a"], ["a\\"], ["?"], ["a?b"], ["a/?"], ["a/*"], ["a/*/b"],
        ["dir/*", "!dir/keep.log"], ["dir", "!dir/keep.log"], ["/dir/sub/"], ["dir//sub"],
        ["*.l[o-p]g"], ["***"], ["a***b"], ["a/***/b"], ["\u{FC}*"], ["keep.log", "*.log"],
        ["!*.log", "*.log", "!keep.log"], ["a/b/"], ["*b"], ["*/b"], ["/*/b"], ["**/sub/**"],
    ]

    private func makeTree(_ scratch: Scratch) throws {
        for folder in [
            "/t", "/t/a", "/t/a/b", "/t/a/c", "/t/a/c/b", "/t/dir", "/t/dir/sub", "/t/b",
        ] {
            mkdir(scratch.root + folder, 0o755)
        }
        for file in [
            "/t/keep.log", "/t/x.log", "/t/#hash", "/t/!bang", "/t/a b", "/t/trailing ", "/t/]",
            "/t/[a", "/t/5", "/t/xAy", "/t/x-y", "/t/axb", "/t/a/x", "/t/a/b/deep", "/t/a/c/b/f",
            "/t/dir/keep.log", "/t/dir/x.log", "/t/dir/sub/a", "/t/dir/sub/b", "/t/\u{FC}ber",
            "/t/a\\", "/t/a\n", "/t/c",
        ] { try scratch.write(file, "x") }
        symlink("dir", scratch.root + "/t/link")
    }

    private func captured(_ scratch: Scratch, _ lines: [String]) throws -> Set<String> {
        let reader = try scratch.store().reader(HashingSink(), nil)
        let entries = try reader.entries(of: try files("/t", exclude: lines))
        return Set(entries.map { String(decoding: $0.path, as: UTF8.self) })
    }

    @Test(.enabled(if: hasGit, "git is not installed"))
    func patternsLeaveOutWhatGitIgnores() throws {
        let scratch = try Scratch()
        try makeTree(scratch)
        let all = try captured(scratch, [])
        #expect(all.count == 32)
        let tree = scratch.root + "/t"
        for lines in Self.lines + Self.random() {
            let ignored = try Self.ignored(tree, all, lines)
            let left = try captured(scratch, lines)
            #expect(all.subtracting(left) == ignored, "\(lines)")
        }
    }

    /// What git ignores of `all`, with the patterns in a file outside of the tree.
    private static func ignored(
        _ tree: String, _ all: Set<String>, _ lines: [String]
    ) throws -> Set<String> {
        let repository = tree + "/../../git"
        let exclude = tree + "/../../exclude"
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(
            to: URL(fileURLWithPath: exclude))
        if access(repository, F_OK) != 0 {
            try Scratch.run(["git", "init", "-q", "--bare", repository])
        }
        let list = tree + "/../../list"
        let names = all.map { String($0.dropFirst(3)) }.filter { !$0.isEmpty }
        try Data(names.joined(separator: "\0").utf8).write(to: URL(fileURLWithPath: list))
        let out = try Scratch.run([
            "sh", "-c",
            "cd \"$1\" && { git --git-dir=\"$2\" --work-tree=. -c core.excludesFile=\"$3\" "
                + "-c core.bare=false check-ignore --no-index --stdin -z < \"$4\"; "
                + "test $? -le 1; }",
            "sh", tree, repository, exclude, list,
        ])
        return Set(out.split(separator: "\0").map { "/t/" + String($0) })
    }

    /// Patterns of the bytes that mean something, from a fixed seed.
    private static func random() -> [[String]] {
        var seed = RandomTree(state: 0x5EED)
        let parts = [
            "a", "b", "*", "**", "/", "?", "[ab]", "\\", "!", "x", ".log", "dir", "sub", " ",
        ]
        return (0..<60).map { _ in
            (0...seed.next(2)).map { _ in
                (0...seed.next(5)).map { _ in parts[seed.next(parts.count)] }.joined()
            }
        }
    }

    @Test func aPatternOfManyStarsIsHeldAgainstALongNameInNoTime() {
        let pattern = PathPattern(Array(String(repeating: "*a", count: 100).utf8), isPath: false)
        let text = [UInt8](repeating: UInt8(ascii: "a"), count: 4000) + [UInt8(ascii: "b")]
        let begun = ContinuousClock.now
        #expect(pattern?.matches(text[...]) == false)
        #expect(ContinuousClock.now - begun < .seconds(2))
    }
}
