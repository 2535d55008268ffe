import Foundation

/// The repository's Swift sources, read once as text.
struct SourceTree {
    /// One source file.
    struct File: Sendable {
        /// Relative to the repository.
        let path: String
        let lines: [String]

        /// The module that it belongs to, by its folder.
        var module: String {
            let parts = path.split(separator: "/").map(String.init)
            guard let index = SourceTree.roots.firstIndex(where: { path.hasPrefix($0 + "/") })
            else { return "" }
            let depth = SourceTree.roots[index].split(separator: "/").count
            return parts.count > depth + 1 ? parts[depth] : ""
        }

        /// The modules that it imports, with the line of each.
        var imports: [(module: String, line: Int)] {
            lines.enumerated().compactMap { index, line in
                let words = line.split(separator: " ").map(String.init)
                guard let at = words.firstIndex(of: "import"), at + 1 < words.count,
                    words[..<at].allSatisfy({ ["package", "public", "internal"].contains($0) })
                else { return nil }
                return (words[at + 1], index + 1)
            }
        }
    }

    /// Folders that hold one folder a module; longer ones first.
    static let roots = [
        "deploy/demo/registry", "deploy/demo", "deploy/bench", "coordinator", "proto", "agent",
        "Sources", "Tests",
    ]

    let files: [File]

    static let repository: URL = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// All Swift files below the roots.
    static let shared = SourceTree()

    private init() {
        var files: [File] = []
        let base = Self.repository.path + "/"
        for root in ["proto", "Sources", "agent", "coordinator", "deploy", "Tests"] {
            let folder = Self.repository.appendingPathComponent(root)
            let walk = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
            while let url = walk?.nextObject() as? URL {
                guard url.pathExtension == "swift",
                    let text = try? String(contentsOf: url, encoding: .utf8)
                else { continue }
                files.append(
                    File(
                        path: String(url.path.dropFirst(base.count)),
                        lines: text.components(separatedBy: "\n")))
            }
        }
        self.files = files.sorted { $0.path < $1.path }
    }

    /// Files of modules, without tests.
    var production: [File] { files.filter { !$0.path.hasPrefix("Tests/") } }
}
