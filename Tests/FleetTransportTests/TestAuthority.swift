import Crypto
import FleetTransport
import FleetWire
import Foundation
import SwiftASN1
import X509

/// A certificate authority of a test, which also makes certificates that no good one would.
struct TestAuthority {
    enum Usage { case host, coordinator }

    let pem: String
    let fingerprint: FleetWire.Digest
    private let certificate: Certificate
    private let key = P256.Signing.PrivateKey()

    init(named name: String = "test authority") throws {
        let subject = try DistinguishedName { CommonName(name) }
        certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: .init(key.publicKey),
            notValidBefore: Date(timeIntervalSinceNow: -3600),
            notValidAfter: Date(timeIntervalSinceNow: 86_400), issuer: subject, subject: subject,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true))
            }, issuerPrivateKey: .init(key))
        pem = try certificate.serializeAsPEM().pemString
        var serializer = DER.Serializer()
        try serializer.serialize(certificate)
        guard
            let digest = FleetWire.Digest(
                bytes: Array(SHA256.hash(data: serializer.serializedBytes)))
        else { preconditionFailure("SHA-256 gives 32 bytes") }
        fingerprint = digest
    }

    /// Credentials with these URI names, valid from and to so many seconds from now.
    func issue(
        _ names: [String], usage: Usage, valid: ClosedRange<TimeInterval> = -60...3600,
        authority: String? = nil
    ) throws -> TLSContext.Credentials {
        let own = P256.Signing.PrivateKey()
        let issued = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: .init(own.publicKey),
            notValidBefore: Date(timeIntervalSinceNow: valid.lowerBound),
            notValidAfter: Date(timeIntervalSinceNow: valid.upperBound),
            issuer: certificate.subject, subject: try DistinguishedName { CommonName("leaf") },
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                try ExtendedKeyUsage([usage == .host ? .clientAuth : .serverAuth])
                SubjectAlternativeNames(names.map { .uniformResourceIdentifier($0) })
            }, issuerPrivateKey: .init(key))
        let chain = try issued.serializeAsPEM().pemString + "\n" + pem
        return TLSContext.Credentials(
            chain: chain, key: own.pemRepresentation, authority: authority ?? pem)
    }

    func host(
        _ id: String = "a1", valid: ClosedRange<TimeInterval> = -60...3600
    ) throws -> TLSContext.Credentials {
        try issue(["belay://host/\(id)"], usage: .host, valid: valid)
    }

    func coordinator() throws -> TLSContext.Credentials {
        try issue(["belay://coordinator/main"], usage: .coordinator)
    }
}
