import Foundation

/// The path and query of a request, with everything escaped that came from outside.
struct Path: Sendable, Equatable, ExpressibleByStringLiteral {
    private(set) var text: String

    init(stringLiteral text: String) { self.text = text }

    /// Appends segments, each as one whatever it holds.
    func adding(_ segments: String...) -> Path {
        var path = self
        for segment in segments { path.text += "/" + Self.escape(segment) }
        return path
    }

    /// Appends a query; pairs without a value are left out.
    func asking(_ pairs: [(String, String?)]) -> Path {
        var path = self
        let given = pairs.compactMap { name, value in value.map { "\(name)=\(Self.escape($0))" } }
        if !given.isEmpty { path.text += "?" + given.joined(separator: "&") }
        return path
    }

    private static func escape(_ text: String) -> String {
        var allowed = CharacterSet()
        allowed.insert(
            charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
        return text.addingPercentEncoding(withAllowedCharacters: allowed) ?? ""
    }
}
