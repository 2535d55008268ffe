import Foundation
import Glibc
import Testing

@testable import HostSnapshots

@Suite struct TreeComparisonTests {
    private static func folder(_ path: String) -> Descriptor {
        Descriptor(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
    }

    @Test func twoInodesAreNotOneWithTwoNamesWhicheverSideHasThem() throws {
        let scratch = try Scratch()
        for folder in ["/parted", "/linked", "/outside"] { mkdir(scratch.root + folder, 0o755) }
        // Each file of both trees has two names, in one of them elsewhere.
        for name in ["a", "b"] {
            try scratch.write("/parted/" + name, "same")
            link(scratch.root + "/parted/" + name, scratch.root + "/outside/" + name)
        }
        try scratch.write("/linked/a", "same")
        link(scratch.root + "/linked/a", scratch.root + "/linked/b")
        for name in ["/parted/a", "/parted/b", "/linked/a", "/parted", "/linked"] {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: 1_000_000)],
                ofItemAtPath: scratch.root + name)
        }
        let (parted, linked) = ("/parted", "/linked")
        for (left, right) in [(parted, linked), (linked, parted)] {
            var comparison = TreeComparison(relatedBefore: 0)
            #expect(
                try !comparison.areSame(
                    Self.folder(scratch.root + left), Self.folder(scratch.root + right)))
        }
        for path in [parted, linked] {
            var comparison = TreeComparison(relatedBefore: 0)
            #expect(
                try comparison.areSame(
                    Self.folder(scratch.root + path), Self.folder(scratch.root + path)))
        }
    }
}
