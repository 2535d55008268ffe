/// Whether a connection string asks for TLS; of the string itself nothing is kept.
enum ConnectionString {
    enum Verdict: Equatable {
        case checked(String)
        case unchecked(String)
        case clear(String)
        case strange
    }

    /// Schemes that are TLS, or are not, whatever comes behind.
    private static let schemes: [(prefix: String, isTLS: Bool)] = [
        ("rediss://", true), ("redis://", false), ("https://", true), ("http://", false),
        ("amqps://", true), ("amqp://", false), ("ldaps://", true), ("ldap://", false),
    ]

    static func judge(_ text: String) -> Verdict {
        let lower = text.lowercased()
        if let scheme = schemes.first(where: { lower.hasPrefix($0.prefix) }) {
            let name = scheme.prefix.dropLast(2)
            return scheme.isTLS ? .checked("\(name) is TLS") : .clear("\(name) is no TLS")
        }
        guard
            lower.hasPrefix("postgres://") || lower.hasPrefix("postgresql://")
                || lower.contains("host=") || lower.contains("dbname=")
                || lower.contains("service=")
        else { return .strange }
        let modes = lower.split { "?& ;\t\n".contains($0) }.filter { $0.hasPrefix("sslmode=") }
        // The last one is what libpq takes.
        guard let mode = modes.last?.dropFirst(8).filter({ !"'\"".contains($0) }) else {
            return .clear("without sslmode, libpq goes on without TLS")
        }
        switch mode {
        case "verify-full", "verify-ca": return .checked("sslmode \(mode)")
        case "require": return .unchecked("sslmode require trusts any server")
        case "disable", "allow", "prefer": return .clear("sslmode \(mode)")
        default: return .strange
        }
    }
}
