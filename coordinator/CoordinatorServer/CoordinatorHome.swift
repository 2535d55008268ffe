package import FleetWire
import FleetTransport
import Foundation
import Glibc
package import Logging
import OperatorAPI
import StateStore

/// The coordinator's state directory (mode 0700): `authority.pem`, `authority.key`,
/// `coordinator.pem`, `coordinator.key`, `identity.json`, `journal.sqlite`, `artifacts/`.
package struct CoordinatorHome: Sendable, CustomStringConvertible {
    /// Who this coordinator is and where it answers.
    package struct Identity: Codable, Sendable, Hashable {
        /// Its name.
        package var name: String
        /// Names and addresses that its certificate is good for.
        package var addresses: [String]
        /// Who this coordinator is.
        package init(name: String, addresses: [String]) {
            self.name = name
            self.addresses = addresses
        }
    }

    /// The directory only; the rest holds a private key.
    package var description: String { "CoordinatorHome(\(directory))" }
    /// The directory.
    package let directory: String
    /// Who this coordinator is.
    package let identity: Identity
    /// The fleet's authority.
    package let authority: CertificateAuthority
    /// The coordinator's certificate and the authority's.
    package let chain: String
    /// The certificate's key.
    package let key: String
    /// When the certificate ends.
    package let certificateEnds: Timestamp

    /// There while a home is being made: what stands beside it is unfinished and nobody used it.
    private static let unfinished = "unfinished"
    private static let parts = [
        "authority.key", "authority.pem", "identity.json", "coordinator.key", "coordinator.pem",
        "journal.sqlite",
    ]

    /// Makes a new home in `directory` and gives the first admin token, printed; `announce` is told
    /// it first. Until then the home is unfinished: what a crash left is made anew. Throws when
    /// there is anything of a coordinator there already.
    @discardableResult
    package static func make(
        in directory: String, identity: Identity, now: Timestamp,
        announce: (String) throws -> Void = { _ in }
    ) async throws -> String {
        let files = FileManager.default
        if !files.fileExists(atPath: directory) {
            try files.createDirectory(
                atPath: directory, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        }
        try PrivateFiles.requirePrivate(directory)
        try clear(directory)
        try PrivateFiles.write([], to: directory + "/" + unfinished)
        let authority = try CertificateAuthority.make(
            in: directory, name: identity.name, now: now)
        try PrivateFiles.write(
            try WireJSON.encode(identity), to: directory + "/identity.json")
        _ = try issue(authority, identity, in: directory, now: now)
        let (event, grant) = try Coordinator.newAccess(
            AccessRequest(name: "admin", role: .admin, lifetime: nil), now: now)
        let store = try SQLiteStateStore(directory: directory)
        _ = try await store.append(
            [
                NewRecord(
                    at: now, actor: "coordinator", stream: "fleet", kind: event.kind,
                    payload: try WireJSON.encode(event))
            ], expecting: await store.lastSequence())
        try announce(grant.token)
        try files.removeItem(atPath: directory + "/" + unfinished)
        return grant.token
    }

    /// Removes what an `init` that was cut off has left; throws when a finished home is there.
    private static func clear(_ directory: String) throws {
        let files = FileManager.default
        let found = parts.filter { files.fileExists(atPath: directory + "/" + $0) }
        guard files.fileExists(atPath: directory + "/" + unfinished) else {
            guard let first = found.first else { return }
            throw StoreError.unusable(
                "\(directory) holds a coordinator already (\(first)); start it with "
                    + "`belay-coordinator run`, or choose another directory with --state")
        }
        let others = found + ["journal.sqlite-wal", "journal.sqlite-shm", "journal.sqlite-journal"]
        for name in others where files.fileExists(atPath: directory + "/" + name) {
            try files.removeItem(atPath: directory + "/" + name)
        }
    }

    /// Reads a home; renews the coordinator's certificate when two thirds of its life are over.
    /// Throws with what to do when something is missing or open to others.
    package init(directory: String, now: Timestamp, logger: Logger) throws {
        let path = directory + "/identity.json"
        guard access(path, F_OK) == 0 else {
            throw StoreError.unusable(
                "there is no coordinator in \(directory); make one with "
                    + "`belay-coordinator init --state \(directory)`")
        }
        try PrivateFiles.requirePrivate(directory)
        try Self.requireWhole(directory)
        self.directory = directory
        do {
            identity = try WireJSON.decode(
                Identity.self, from: Array(try Data(contentsOf: URL(fileURLWithPath: path))))
        } catch {
            throw StoreError.unusable(
                "\(path) is malformed; restore it from a backup, or write it anew: "
                    + #"{"name":"…","addresses":["…"]}"#)
        }
        authority = try CertificateAuthority.load(from: directory)
        let pair = try Self.pair(authority, identity, in: directory, now: now, logger)
        chain = pair.certificate + authority.certificatePEM
        key = pair.key
        certificateEnds = pair.ends
    }

    /// Throws for a home whose making was cut off, or that lost its journal: without it no host, no
    /// token and no rollout is known, and a new one would begin at the first generation.
    private static func requireWhole(_ directory: String) throws {
        guard access(directory + "/" + unfinished, F_OK) != 0 else {
            throw StoreError.unusable(
                "the making of \(directory) was cut off; finish it with "
                    + "`belay-coordinator init --state \(directory)`")
        }
        let journal = directory + "/journal.sqlite"
        var info = stat()
        guard stat(journal, &info) == 0, info.st_size > 0 else {
            throw StoreError.unusable(
                "\(journal) is missing or empty, and with it all that this coordinator knew; "
                    + "restore it from a backup, or make a new coordinator in another directory")
        }
    }

    /// The coordinator's certificate and key: those that are stored, or new ones when two thirds of
    /// their life are over, or when they do not fit together because a renewal was cut off.
    private static func pair(
        _ authority: CertificateAuthority, _ identity: Identity, in directory: String,
        now: Timestamp, _ logger: Logger
    ) throws -> (certificate: String, key: String, ends: Timestamp) {
        func anew() throws -> (certificate: String, key: String, ends: Timestamp) {
            let issued = try issue(authority, identity, in: directory, now: now)
            return (issued.certificate, issued.key, issued.ends)
        }
        let keyPath = directory + "/coordinator.key"
        if access(keyPath, F_OK) == 0 { try PrivateFiles.requirePrivate(keyPath) }
        guard
            let certificate = try? String(
                contentsOfFile: directory + "/coordinator.pem", encoding: .utf8),
            let key = try? String(contentsOfFile: keyPath, encoding: .utf8),
            let found = try? CertificateRequest.describe(certificate: certificate),
            (try? TLSContext.server(
                .init(
                    chain: certificate + authority.certificatePEM, key: key,
                    authority: authority.certificatePEM))) != nil
        else {
            logger.warning("the coordinator's certificate and key do not fit; they are made anew")
            return try anew()
        }
        let life = found.notAfter.since(found.notBefore).count
        guard now.since(found.notBefore).count < life / 3 * 2 else {
            logger.notice("the coordinator's certificate is renewed")
            return try anew()
        }
        return (certificate, key, found.notAfter)
    }

    private static func issue(
        _ authority: CertificateAuthority, _ identity: Identity, in directory: String,
        now: Timestamp
    ) throws -> CertificateAuthority.Issued {
        var names: [String] = []
        var addresses: [[UInt8]] = []
        for address in identity.addresses {
            if let bytes = Self.bytes(of: address) {
                addresses.append(bytes)
            } else {
                names.append(address)
            }
        }
        let issued = try authority.issueCoordinator(
            name: identity.name, dnsNames: names, addresses: addresses,
            lifetime: CoordinatorLimits.coordinatorCertificate, now: now)
        // A crash between the two leaves a pair that does not fit; the next start makes it anew.
        try PrivateFiles.write(Array(issued.key.utf8), to: directory + "/coordinator.key")
        try PrivateFiles.write(Array(issued.certificate.utf8), to: directory + "/coordinator.pem")
        return issued
    }

    /// The bytes of an IP address; nil for a name.
    static func bytes(of address: String) -> [UInt8]? {
        var four = in_addr()
        if inet_pton(AF_INET, address, &four) == 1 { return withUnsafeBytes(of: four, Array.init) }
        var six = in6_addr()
        if inet_pton(AF_INET6, address, &six) == 1 { return withUnsafeBytes(of: six, Array.init) }
        return nil
    }
}
