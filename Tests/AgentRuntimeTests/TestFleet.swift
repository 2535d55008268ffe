import Crypto
import FleetTransport
import FleetWire
import Foundation
import SwiftASN1
import X509

/// An authority for one test; it signs a coordinator and hosts.
struct TestFleet {
    private let key = P256.Signing.PrivateKey()
    private let authority: Certificate
    private let ends = Date(timeIntervalSinceNow: 3600)

    init() throws {
        let subject = try DistinguishedName { CommonName("test authority") }
        authority = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: .init(key.publicKey),
            notValidBefore: Date(timeIntervalSinceNow: -60), notValidAfter: ends, issuer: subject,
            subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
            }, issuerPrivateKey: .init(key))
    }

    func credentials(_ uri: String, isServer: Bool) throws -> TLSContext.Credentials {
        let own = P256.Signing.PrivateKey()
        let certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: .init(own.publicKey),
            notValidBefore: Date(timeIntervalSinceNow: -60), notValidAfter: ends,
            issuer: authority.subject, subject: try DistinguishedName { CommonName("test") },
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([isServer ? .serverAuth : .clientAuth])
                SubjectAlternativeNames([
                    .uniformResourceIdentifier(uri),
                    .ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1])),
                ])
            }, issuerPrivateKey: .init(key))
        return TLSContext.Credentials(
            chain: try certificate.serializeAsPEM().pemString + "\n", key: own.pemRepresentation,
            authority: try authority.serializeAsPEM().pemString + "\n")
    }
}
