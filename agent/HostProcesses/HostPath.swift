import Glibc

/// Why a path cannot be used on this host.
package struct HostPathError: Error, Sendable, Hashable, CustomStringConvertible {
    /// One sentence.
    package let reason: String
    /// The reason.
    package var description: String { reason }
}

/// Places paths that are absolute on the host below the folder that stands for `/`.
package enum HostPath {
    /// `root` + `path`; `root` empty or `/` on a real host. Throws if `path` is not absolute, holds
    /// `..` or a NUL byte, or if a symbolic link among its existing folders leads out of `root`.
    package static func below(_ root: String, _ path: String) throws(HostPathError) -> String {
        guard path.hasPrefix("/") else {
            throw HostPathError(reason: "\(path) is not an absolute path")
        }
        let parts = path.split(separator: "/").filter { $0 != "." }
        guard !parts.contains("..") && !path.utf8.contains(0) else {
            throw HostPathError(reason: "\(path) holds .., which is not allowed")
        }
        let tail = parts.map { "/\($0)" }.joined()
        guard root != "" && root != "/" else { return tail.isEmpty ? "/" : tail }
        let base = root.hasSuffix("/") ? String(root.dropLast()) : root
        try checkInside(base, parts.dropLast().map(String.init), path)
        return base + tail
    }

    /// `text` with each path below `root` as the plan names it, absolute on the host. Hosts that do
    /// the same thing then say the same, wherever their root lies.
    package static func asPlanned(_ text: String, root: String) -> String {
        let base = root.hasSuffix("/") ? String(root.dropLast()) : root
        guard !base.isEmpty else { return text }
        var rest = text[...]
        var result = ""
        while let found = rest.firstRange(of: base + "/") {
            result += rest[..<found.lowerBound]
            let isWhole = !(result.last.map(isPartOfName) ?? false)
            result += isWhole ? "/" : String(rest[found])
            rest = rest[found.upperBound...]
        }
        return result + rest
    }

    private static func isPartOfName(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || "/._-".contains(character)
    }

    /// The folder that holds `path`.
    package static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    private static func checkInside(
        _ root: String, _ folders: [String], _ path: String
    ) throws(HostPathError) {
        guard let inside = resolved(root) else { return }
        var folder = root
        for part in folders {
            folder += "/" + part
            guard let real = resolved(folder) else { return }
            guard real == inside || real.hasPrefix(inside + "/") else {
                throw HostPathError(
                    reason: "\(path) leaves \(root): a symbolic link at \(folder) leads to \(real)")
            }
        }
    }

    private static func resolved(_ path: String) -> String? {
        guard let text = realpath(path, nil) else { return nil }
        defer { free(text) }
        return String(cString: text)
    }
}
