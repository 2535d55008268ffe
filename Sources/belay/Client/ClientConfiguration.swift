import Foundation

/// Where the coordinator is and who asks; from the environment.
struct ClientConfiguration: Sendable, Equatable {
    /// `https://HOST:PORT`, without a slash at its end.
    var address: String
    /// `belay_…`.
    var token: String
    /// Path of the authority's certificate; nil trusts the system's authorities.
    var authority: String?

    init(address: String, token: String, authority: String?) {
        self.address = address
        self.token = token
        self.authority = authority
    }

    /// Says of each variable what is missing or wrong with it.
    init(environment: [String: String]) throws(CommandFailure) {
        guard let address = environment["BELAY_ADDR"], !address.isEmpty else {
            throw CommandFailure(
                .usage, "cannot tell where the coordinator is: BELAY_ADDR is not set",
                remedy: "export BELAY_ADDR=https://HOST:7431")
        }
        guard let parts = URLComponents(string: address), let host = parts.host, !host.isEmpty,
            parts.scheme == "https" || (parts.scheme == "http" && Self.isLoopback(host)),
            parts.path.isEmpty || parts.path == "/", parts.query == nil
        else {
            throw CommandFailure(
                .usage, "BELAY_ADDR is \"\(address)\", which is not an address of a coordinator",
                remedy: "export BELAY_ADDR=https://HOST:7431")
        }
        guard let token = environment["BELAY_TOKEN"], !token.isEmpty else {
            throw CommandFailure(
                .notAuthorised, "cannot sign in at \(address): BELAY_TOKEN is not set",
                remedy: "export BELAY_TOKEN=belay_…; `belay-coordinator init` printed the first "
                    + "one, `belay token access create` makes more")
        }
        guard token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw CommandFailure(
                .notAuthorised, "BELAY_TOKEN holds characters that no token has",
                remedy: "copy the token again, without spaces and line ends")
        }
        self.address = address.hasSuffix("/") ? String(address.dropLast()) : address
        self.token = token
        authority = environment["BELAY_CACERT"].flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func isLoopback(_ host: String) -> Bool {
        ["127.0.0.1", "localhost", "::1", "[::1]"].contains(host)
    }
}
