import FleetTransport
import FleetWire

/// The host's certificate, its key, the authority, and the TLS made of them.
struct HostIdentity: Sendable {
    /// `renewed.json`: a new pair, whole on the disk before either file is replaced.
    private struct Pair: Codable {
        var key: String
        var certificate: String
        var authority: String
    }

    let peer: PeerIdentity
    let frames: TLSContext
    let blobs: TLSContext

    /// Reads the files; finishes a renewal that was cut off.
    init(_ state: StateDirectory) throws {
        if let pair = state.value(Pair.self, in: "renewed.json") { try Self.place(pair, state) }
        let credentials = TLSContext.Credentials(
            chain: try state.text("host.pem"), key: try state.text("host.key"),
            authority: try state.text("authority.pem"))
        peer = try CertificateRequest.describe(certificate: credentials.chain)
        frames = try TLSContext.client(credentials, service: .frames)
        blobs = try TLSContext.client(credentials, service: .blobs)
    }

    /// Stores a key and the certificate that was granted for it; durable and whole on return.
    static func store(key: String, _ grant: CertificateGrant, _ state: StateDirectory) throws {
        let pair = Pair(key: key, certificate: grant.certificate, authority: grant.authority)
        try state.write(try WireJSON.encode(pair), to: "renewed.json")
        try place(pair, state)
    }

    private static func place(_ pair: Pair, _ state: StateDirectory) throws {
        try state.write(Array(pair.key.utf8), to: "host.key")
        try state.write(Array(pair.certificate.utf8), to: "host.pem")
        try state.write(Array(pair.authority.utf8), to: "authority.pem")
        state.remove("renewed.json")
    }

    /// When two thirds of the certificate's life are over.
    var renewal: Timestamp {
        peer.notBefore + Milliseconds(peer.notAfter.since(peer.notBefore).count / 3 * 2)
    }

    /// How long to wait before the certificate must be asked for, again if it was asked for: at
    /// most an hour, so that a clock that was set is noticed.
    func pauseBeforeRenewal(at now: Timestamp) -> Milliseconds {
        let left = renewal.since(now).count
        let pause = left > 0 ? left : peer.notAfter.since(now).count / 10
        return Milliseconds(min(3_600_000, max(500, pause)))
    }
}
