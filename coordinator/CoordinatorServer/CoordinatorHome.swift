package import FleetWire
import Foundation
import Glibc
package import Logging
import OperatorAPI
import StateStore

/// The coordinator's state directory (mode 0700): `authority.pem`, `authority.key`,
/// `coordinator.pem`, `coordinator.key`, `identity.json`, `journal.sqlite`, `artifacts/`; while
/// `make` is at work also `init.unfinished`.
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

    /// Stands from the first file of `make` until its caller has the token.
    private static let unfinished = "init.unfinished"
    /// Everything of a home that must be closed to others, beside the journal's own files.
    private static let files = [
        "authority.key", "authority.pem", "identity.json", "coordinator.key", "coordinator.pem",
    ]

    /// Makes a new home in `directory` and hands the first admin token, printed, to `announce`.
    /// Cut off before `announce` returned, it can be run again and begins anew.
    /// Throws when there is a coordinator already.
    package static func make(
        in directory: String, identity: Identity, now: Timestamp,
        announce: (String) throws -> Void
    ) async throws {
        try prepare(directory)
        let authority = try CertificateAuthority.make(
            in: directory, name: identity.name, now: now)
        try PrivateFiles.write(
            try WireJSON.encode(identity), to: directory + "/identity.json")
        let home = CoordinatorHome(
            directory: directory, identity: identity, authority: authority)
        _ = try home.issue(now: now)
        let (event, grant) = try Coordinator.newAccess(
            AccessRequest(name: "admin", role: .admin, lifetime: nil), now: now)
        let store = try SQLiteStateStore(directory: directory)
        let first = NewRecord(
            at: now, actor: "coordinator", stream: "fleet", kind: event.kind,
            payload: try WireJSON.encode(event))
        _ = try await store.append([first], expecting: 0)
        await store.close()
        try announce(grant.token)
        try FileManager.default.removeItem(atPath: directory + "/" + unfinished)
    }

    /// Leaves an empty private directory in which `make` is marked as begun.
    private static func prepare(_ directory: String) throws {
        let manager = FileManager.default
        if !manager.fileExists(atPath: directory) {
            try manager.createDirectory(
                atPath: directory, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        }
        try PrivateFiles.requirePrivate(directory)
        let journal = ["journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm"]
        let there = (files + journal).filter {
            manager.fileExists(atPath: directory + "/" + $0)
        }
        if manager.fileExists(atPath: directory + "/" + unfinished) {
            // Nobody has a token of what was begun here, and `run` refuses it: it is worth nothing.
            for name in there { try manager.removeItem(atPath: directory + "/" + name) }
        } else if let first = there.first {
            throw StoreError.unusable(
                "\(directory) holds a coordinator already (\(first)); start it with "
                    + "`belay-coordinator run`, or choose another directory with --state")
        }
        try PrivateFiles.write([], to: directory + "/" + unfinished)
    }

    private init(directory: String, identity: Identity, authority: CertificateAuthority) {
        self.directory = directory
        self.identity = identity
        self.authority = authority
    }

    /// Reads a home. Throws with what to do when something is missing or open to others.
    package init(directory: String) throws {
        let path = directory + "/identity.json"
        let remedy = "`belay-coordinator init --state \(directory)`"
        guard access(directory + "/" + Self.unfinished, F_OK) != 0 else {
            throw StoreError.unusable(
                "the making of the coordinator in \(directory) was cut off; begin again with "
                    + remedy)
        }
        guard access(path, F_OK) == 0 else {
            throw StoreError.unusable(
                "there is no coordinator in \(directory); make one with \(remedy)")
        }
        try PrivateFiles.requirePrivate(directory)
        for name in Self.files where access(directory + "/" + name, F_OK) == 0 {
            try PrivateFiles.requirePrivate(directory + "/" + name)
        }
        try Self.requireJournal(directory)
        self.init(
            directory: directory, identity: try Self.identity(in: path),
            authority: try CertificateAuthority.load(from: directory))
    }

    /// Without its journal no host, no token and no rollout is known, and a new one would begin at
    /// the first generation.
    private static func requireJournal(_ directory: String) throws {
        let journal = directory + "/journal.sqlite"
        var info = stat()
        guard stat(journal, &info) == 0, info.st_size > 0 else {
            throw StoreError.unusable(
                "\(journal) is missing or empty, and with it all that this coordinator knew; "
                    + "restore it from a backup, or make a new coordinator in another directory")
        }
    }

    private static func identity(in path: String) throws -> Identity {
        do {
            return try WireJSON.decode(
                Identity.self, from: Array(try Data(contentsOf: URL(fileURLWithPath: path))))
        } catch {
            throw StoreError.unusable(
                "\(path) is malformed; restore it from a backup, or write it anew: "
                    + #"{"name":"…","addresses":["…"]}"#)
        }
    }

    /// The coordinator's own certificate. A new one is issued when two thirds of its life are over,
    /// and when the files are missing or do not belong together: a crash between the two leaves
    /// that. Throws when the files cannot be read or written.
    package func certificate(now: Timestamp, logger: Logger) throws -> ServerCertificate {
        guard let kept = try ServerCertificate(in: directory, authority: authority) else {
            logger.warning("the coordinator's certificate and key are no pair: they are made anew")
            return try issue(now: now)
        }
        guard kept.needsRenewal(at: now) else { return kept }
        logger.notice("the coordinator's certificate is renewed")
        return try issue(now: now)
    }

    private func issue(now: Timestamp) throws -> ServerCertificate {
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
        try PrivateFiles.write(Array(issued.key.utf8), to: directory + "/coordinator.key")
        try PrivateFiles.write(Array(issued.certificate.utf8), to: directory + "/coordinator.pem")
        return try ServerCertificate(
            certificate: issued.certificate, key: issued.key, authority: authority)
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
