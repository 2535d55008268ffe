import FoundationEssentials
import Yams

/// Reads values out of a YAML tree and collects every problem instead of stopping at the first.
struct ConfigurationReader {
    /// The top of the document.
    let root: Node?
    private let file: String
    private var problems: [String] = []

    init(text: String, file: String) throws(RegistryProblem) {
        self.file = file
        do {
            root = try compose(yaml: text)
        } catch {
            throw RegistryProblem(.invalid, "\(file) is not YAML: \(error)")
        }
    }

    /// The values of a mapping by key; unknown keys and missing ones are problems.
    mutating func mapping(_ node: Node?, at path: String, keys: [String]) -> [String: Node] {
        guard let node else { return [:] }
        guard let mapping = node.mapping else {
            note(node, "\(path.isEmpty ? "the document" : path) must be a mapping")
            return [:]
        }
        var values: [String: Node] = [:]
        for (key, value) in mapping {
            let name = key.string ?? ""
            guard keys.contains(name) else {
                let near = Self.nearest(to: name, among: keys).map { "; did you mean \($0)?" } ?? ""
                note(key, "unknown key \(Self.join(path, name))\(near)")
                continue
            }
            values[name] = value
        }
        for key in keys where values[key] == nil {
            note(node, "missing key \(Self.join(path, key))")
        }
        return values
    }

    mutating func string(_ node: Node?, at path: String, among: [String]? = nil) -> String {
        guard let node else { return "" }
        guard let text = node.string, !text.isEmpty else {
            note(node, "\(path) must be text")
            return ""
        }
        if let among, !among.contains(text) {
            note(node, "\(path) is \(text), expected one of \(among.joined(separator: ", "))")
        }
        return text
    }

    mutating func integer(_ node: Node?, at path: String, in range: ClosedRange<Int>) -> Int {
        guard let node else { return range.lowerBound }
        guard let number = node.string.flatMap(Int.init), range.contains(number) else {
            note(node, "\(path) must be a number from \(range.lowerBound) to \(range.upperBound)")
            return range.lowerBound
        }
        return number
    }

    /// A path, made absolute from the folder of the file.
    mutating func path(_ node: Node?, at path: String) -> String {
        let text = string(node, at: path)
        guard !text.isEmpty, !text.hasPrefix("/") else { return text }
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent()
        return folder.appendingPathComponent(text).standardizedFileURL.path
    }

    mutating func check(_ holds: Bool, _ node: Node?, _ problem: String) {
        guard let node, !holds else { return }
        note(node, problem)
    }

    /// Throws all problems at once, if there are any.
    func finish(release: Release) throws(RegistryProblem) {
        guard !problems.isEmpty else { return }
        throw RegistryProblem(
            .invalid,
            "configuration of release \(release.version) refused:\n"
                + problems.joined(separator: "\n"))
    }

    private mutating func note(_ node: Node, _ problem: String) {
        let place = node.mark.map { "\(file):\($0.line):\($0.column)" } ?? file
        problems.append("\(place): \(problem)")
    }

    private static func join(_ path: String, _ key: String) -> String {
        path.isEmpty ? key : "\(path).\(key)"
    }

    /// The candidate within an edit distance of two, if any.
    private static func nearest(to name: String, among candidates: [String]) -> String? {
        candidates.map { ($0, distance(Array(name), Array($0))) }
            .filter { $0.1 <= 2 }
            .min { $0.1 < $1.1 }?.0
    }

    /// Levenshtein's distance.
    private static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var previous = Array(0...right.count)
        for (row, character) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                current.append(
                    min(
                        previous[column + 1] + 1, current[column] + 1,
                        previous[column] + (character == other ? 0 : 1)))
            }
            previous = current
        }
        return previous[right.count]
    }
}
