package import FleetWire

/// What templates can name: `{{ host.root }}`, `{{ host.id }}`, `{{ labels.NAME }}`,
/// `{{ facts.NAME }}`, `{{ vars.NAME }}`.
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
        self.root = root
        self.host = host
        self.labels = labels
        self.facts = facts
        self.variables = variables
    }

    /// Fills in `text`; throws for an unknown name, with the nearest known one.
    package func fill(_ text: String) throws(TemplateError) -> String { text }
}

/// Why a template cannot be filled in.
package struct TemplateError: Error, Sendable, Hashable {
    /// One sentence.
    package var reason: String
    /// An error with this reason.
    package init(reason: String) { self.reason = reason }
}
