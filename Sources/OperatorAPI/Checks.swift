package import FleetWire

/// Asks hosts to run checks now.
package struct FleetCheckRequest: Codable, Sendable, Hashable {
    /// The hosts.
    package var selection: HostSelection
    /// The checks, each with a name of its own.
    package var checks: [CheckSpec]
    /// Variables for templates.
    package var variables: [String: String]
    /// Hosts asked at the same time; nil lets the coordinator choose.
    package var maxParallel: Int?
    /// A request of the hosts of `selection`.
    package init(
        selection: HostSelection, checks: [CheckSpec], variables: [String: String] = [:]
    ) {
        self.selection = selection
        self.checks = checks
        self.variables = variables
    }
}

/// A line of the answer: one result of one host as it comes, or the end of one host's part.
package struct FleetCheckAnswer: Codable, Sendable, Hashable {
    /// The host.
    package var host: HostID
    /// How many hosts the request has, each with one line that ends its part.
    package var hosts: Int
    /// One result, as it came; the end of the part has it again.
    package var found: CheckResult?
    /// All results, which ends the part.
    package var results: [CheckResult]?
    /// Why there are no results, which ends the part too. `unreachable`: the host is not connected,
    /// or did not answer in time.
    package var failure: APIFailure?
    /// A line of `host`.
    package init(
        host: HostID, hosts: Int, found: CheckResult? = nil, results: [CheckResult]? = nil,
        failure: APIFailure? = nil
    ) {
        self.host = host
        self.hosts = hosts
        self.found = found
        self.results = results
        self.failure = failure
    }
}
