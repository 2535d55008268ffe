package import FleetWire

/// What templates can name: `{{ host.root }}`, `{{ host.id }}`, `{{ labels.NAME }}`,
/// `{{ facts.NAME }}`, `{{ vars.NAME }}`. `{{{{` stands for a literal `{{`.
package struct TemplateContext: Sendable, Hashable {
    /// The folder that stands for `/` on this host; empty on a real host, so that
    /// `{{ host.root }}/etc/x` is right everywhere.
    package var root: String
    /// The host's id.
    package var host: HostID
    /// Labels.
    package var labels: [String: String]
    /// Facts.
    package var facts: [String: String]
    /// Variables of the plan.
    package var variables: [String: String]
    /// A context of these fields.
    package init(
        root: String, host: HostID, labels: [String: String], facts: [String: String],
        variables: [String: String]
    ) {
        self.root = root == "/" ? "" : root
        self.host = host
        self.labels = labels
        self.facts = facts
        self.variables = variables
    }

    /// Fills in `text`; throws for an unknown name, with the nearest known one. Values are put in
    /// as they are: what they hold is never filled in again.
    package func fill(_ text: String) throws(TemplateError) -> String {
        let open = UInt8(ascii: "{")
        let end = UInt8(ascii: "}")
        let bytes = Array(text.utf8)
        var filled: [UInt8] = []
        var index = 0
        while index < bytes.count {
            guard bytes[index...].starts(with: [open, open]) else {
                filled.append(bytes[index])
                index += 1
                continue
            }
            if bytes[index...].starts(with: [open, open, open, open]) {
                filled += [open, open]
                index += 4
                continue
            }
            var close = index + 2
            while close < bytes.count && !bytes[close...].starts(with: [end, end]) { close += 1 }
            guard close < bytes.count else {
                throw TemplateError(reason: "a {{ has no }}; write {{{{ for a literal {{")
            }
            let name = String(decoding: bytes[(index + 2)..<close], as: UTF8.self)
            filled += try value(of: trimmed(name)).utf8
            index = close + 2
        }
        return String(decoding: filled, as: UTF8.self)
    }

    /// The text that is filled in as `text`, whatever it holds.
    package static func literal(_ text: String) -> String { text.replacing("{{", with: "{{{{") }

    private func value(of name: String) throws(TemplateError) -> String {
        let parts = name.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let key = parts.count == 2 ? String(parts[1]) : ""
        let found: String? =
            switch parts.first ?? "" {
            case "host": key == "root" ? root : key == "id" ? host.rawValue : nil
            case "labels": labels[key]
            case "facts": facts[key]
            case "vars": variables[key]
            default: nil
            }
        if let found { return found }
        let near = NearestName.of(name, among: known).map { "; did you mean \($0)?" } ?? ""
        throw TemplateError(reason: "{{ \(name) }} is not known on this host\(near)")
    }

    private var known: [String] {
        ["host.root", "host.id"] + labels.keys.map { "labels.\($0)" }
            + facts.keys.map { "facts.\($0)" } + variables.keys.map { "vars.\($0)" }
    }

    private func trimmed(_ name: String) -> String {
        let blank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        return String(name.drop(while: blank).reversed().drop(while: blank).reversed())
    }
}

/// Why a template cannot be filled in.
package struct TemplateError: Error, Sendable, Hashable, CustomStringConvertible {
    /// One sentence.
    package var reason: String
    /// An error with this reason.
    package init(reason: String) { self.reason = reason }
    /// The reason.
    package var description: String { reason }
}
