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

    /// Makes a new home in `directory` and gives the first admin token, printed. Throws when there is
    /// anything of a coordinator there already.
    package static func make(
        in directory: String, identity: Identity, now: Timestamp
    ) async throws -> String {
        let files = FileManager.default
        if !files.fileExists(atPath: directory) {
            try files.createDirectory(
                atPath: directory, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        }
        try PrivateFiles.requirePrivate(directory)
        for name in ["authority.key", "authority.pem", "identity.json", "journal.sqlite"]
        where files.fileExists(atPath: directory + "/" + name) {
            throw StoreError.unusable(
                "\(directory) holds a coordinator already (\(name)); start it with "
                    + "`belay-coordinator run`, or choose another directory with --state")
        }
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
        return grant.token
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
        self.directory = directory
        identity = try WireJSON.decode(
            Identity.self, from: Array(try Data(contentsOf: URL(fileURLWithPath: path))))
        authority = try CertificateAuthority.load(from: directory)
        let certificatePath = directory + "/coordinator.pem"
        let keyPath = directory + "/coordinator.key"
        try PrivateFiles.requirePrivate(keyPath)
        let certificate = try String(contentsOfFile: certificatePath, encoding: .utf8)
        let found = try CertificateRequest.describe(certificate: certificate)
        let life = found.notAfter.since(found.notBefore).count
        if now.since(found.notBefore).count >= life / 3 * 2 {
            logger.notice("the coordinator's certificate is renewed")
            let issued = try Self.issue(authority, identity, in: directory, now: now)
            chain = issued.certificate + authority.certificatePEM
            key = issued.key
            certificateEnds = issued.ends
        } else {
            chain = certificate + authority.certificatePEM
            key = try String(contentsOfFile: keyPath, encoding: .utf8)
            certificateEnds = found.notAfter
        }
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
        // A crash between the two leaves a pair that TLS refuses at the next start.
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
