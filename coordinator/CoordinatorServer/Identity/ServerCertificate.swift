import Crypto
import FleetTransport
package import FleetWire
import Foundation
import Logging
import NIOCore
import NIOSSL
import SwiftASN1
import Synchronization
import X509

/// What the coordinator shows of itself on both ports: a certificate with its key.
package struct ServerCertificate: Sendable, CustomStringConvertible {
    /// When it ends; the rest holds a private key.
    package var description: String { "ServerCertificate(ends \(ends.milliseconds))" }
    /// The certificate and the authority's, PEM.
    package let chain: String
    /// The certificate's key, PEM.
    package let key: String
    /// When it ends.
    package let ends: Timestamp
    private let begins: Timestamp

    init(certificate: String, key: String, authority: CertificateAuthority) throws {
        let found = try CertificateRequest.describe(certificate: certificate)
        chain = certificate + authority.certificatePEM
        self.key = key
        begins = found.notBefore
        ends = found.notAfter
    }

    /// Reads `coordinator.pem` and `coordinator.key`; nil if they are missing or no pair.
    init?(in directory: String, authority: CertificateAuthority) throws {
        let paths = ["pem", "key"].map { directory + "/coordinator." + $0 }
        guard paths.allSatisfy({ access($0, F_OK) == 0 }) else { return nil }
        let texts = try paths.map { try String(contentsOfFile: $0, encoding: .utf8) }
        guard let certificate = try? Certificate(pemEncoded: texts[0]),
            let key = try? P256.Signing.PrivateKey(pemRepresentation: texts[1]),
            certificate.publicKey == Certificate.PublicKey(key.publicKey)
        else { return nil }
        try self.init(certificate: texts[0], key: texts[1], authority: authority)
    }

    /// True once two thirds of its life are over.
    package func needsRenewal(at now: Timestamp) -> Bool {
        now.since(begins).count >= ends.since(begins).count / 3 * 2
    }
}

/// The certificate that new connections of both ports get; open ones keep theirs.
final class ServerCertificates: Sendable {
    private struct Shown {
        var certificate: ServerCertificate
        var agents: TLSContext
        var chain: [NIOSSLCertificate]
        var key: NIOSSLPrivateKey

        var api: NIOSSLContextConfigurationOverride {
            var override = NIOSSLContextConfigurationOverride()
            override.certificateChain = chain.map { .certificate($0) }
            override.privateKey = .privateKey(key)
            return override
        }
    }

    private let home: CoordinatorHome
    private let logger: Logger
    private let shown: Mutex<Shown>

    /// Reads or makes the certificate of `home`.
    init(home: CoordinatorHome, now: Timestamp, logger: Logger) throws {
        self.home = home
        self.logger = logger
        shown = Mutex(
            try Self.show(try home.certificate(now: now, logger: logger), home.authority))
    }

    private static func show(
        _ certificate: ServerCertificate, _ authority: CertificateAuthority
    ) throws -> Shown {
        let agents = try TLSContext.server(
            .init(
                chain: certificate.chain, key: certificate.key,
                authority: authority.certificatePEM))
        return Shown(
            certificate: certificate, agents: agents,
            chain: try NIOSSLCertificate.fromPEMBytes(Array(certificate.chain.utf8)),
            key: try NIOSSLPrivateKey(bytes: Array(certificate.key.utf8), format: .pem))
    }

    /// For a new connection of an agent.
    var agents: TLSContext { shown.withLock { $0.agents } }

    /// When the newest ends.
    var ends: Timestamp { shown.withLock { $0.certificate.ends } }

    /// For the API's port.
    func configuration() -> TLSConfiguration {
        let now = shown.withLock { $0 }
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: now.chain.map { .certificate($0) }, privateKey: .privateKey(now.key))
        tls.minimumTLSVersion = .tlsv13
        tls.sslContextCallback = { [self] _, promise in
            promise.succeed(shown.withLock { $0.api })
        }
        return tls
    }

    /// Replaces the certificate once it is due. Returns when to look again.
    func renew(now: Timestamp) -> Duration {
        guard shown.withLock({ $0.certificate.needsRenewal(at: now) }) else {
            return CoordinatorLimits.certificateLookEvery.duration
        }
        do {
            let next = try Self.show(
                try home.certificate(now: now, logger: logger), home.authority)
            shown.withLock { $0 = next }
            return CoordinatorLimits.certificateLookEvery.duration
        } catch {
            logger.error(
                "the coordinator's certificate cannot be renewed", metadata: ["reason": "\(error)"])
            return CoordinatorLimits.certificateRetry.duration
        }
    }
}
