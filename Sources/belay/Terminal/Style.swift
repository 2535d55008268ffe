import Foundation

/// Whether text may carry colour and characters beyond ASCII; decided once, at the edge.
struct Style: Sendable, Equatable {
    var color: Bool
    var unicode: Bool

    /// Text for files and tests: no escape sequences.
    static let plain = Style(color: false, unicode: true)

    /// What a piece of text is, not what it looks like.
    enum Role: Sendable {
        case plain, strong, faint, good, active, caution, bad

        fileprivate var code: String? {
            switch self {
            case .plain: nil
            case .strong: "1"
            case .faint: "2"
            case .good: "32"
            case .active: "36"
            case .caution: "33"
            case .bad: "31"
            }
        }
    }

    func paint(_ text: String, _ role: Role) -> String {
        guard color, !text.isEmpty, let code = role.code else { return text }
        return "\u{1B}[\(code)m\(text)\u{1B}[0m"
    }

    /// `rich` where it can be shown, else `ascii`.
    func symbol(_ rich: String, _ ascii: String) -> String { unicode ? rich : ascii }

    /// For a stream: NO_COLOR, TERM=dumb and pipes mean no colour; a locale without UTF-8 means ASCII.
    init(isTerminal: Bool, environment: [String: String]) {
        let refused = !(environment["NO_COLOR"] ?? "").isEmpty || environment["TERM"] == "dumb"
        color = isTerminal && !refused
        let locale =
            ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }
            .first { !$0.isEmpty } ?? ""
        let utf8 = locale.lowercased().contains("utf-8") || locale.lowercased().contains("utf8")
        unicode = utf8 || !isTerminal
    }

    init(color: Bool, unicode: Bool) {
        self.color = color
        self.unicode = unicode
    }
}
