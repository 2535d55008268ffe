import Crypto
import FleetTransport
package import FleetWire
import Foundation
import StateStore
import SwiftASN1
import X509

/// The fleet's own certificate authority: it signs hosts and the coordinator, and nothing else.
///
/// Files below its directory (mode 0700): `authority.pem`, `authority.key` (0600).
package struct CertificateAuthority: Sendable, CustomStringConvertible {
    /// The fingerprint only; the rest holds a private key.
    package var description: String { "CertificateAuthority(\(fingerprint))" }
    /// The authority's certificate, PEM.
    package let certificatePEM: String
    /// SHA-256 of its DER; tokens carry it.
    package let fingerprint: FleetWire.Digest
    private let certificate: Certificate
    private let key: Certificate.PrivateKey

    /// A certificate and its key, PEM.
    package struct Issued: Sendable {
        /// The certificate.
        package var certificate: String
        /// The key; empty if the holder made it.
        package var key: String
        /// The serial number in lower-case hexadecimal.
        package var serial: String
        /// The end of its validity.
        package var ends: Timestamp
    }

    /// Makes an authority for ten years and writes its files into `directory`.
    package static func make(
        in directory: String, name: String, now: Timestamp
    ) throws -> CertificateAuthority {
        let key = P256.Signing.PrivateKey()
        let subject = try DistinguishedName { CommonName("Belay authority of \(name)") }
        let certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: .init(key.publicKey),
            notValidBefore: date(now + .seconds(-300)),
            notValidAfter: date(now + .seconds(3650 * 86_400)), issuer: subject, subject: subject,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
            },
            issuerPrivateKey: .init(key))
        let text = try certificate.serializeAsPEM().pemString
        try PrivateFiles.write(Array(key.pemRepresentation.utf8), to: directory + "/authority.key")
        try PrivateFiles.write(Array((text + "\n").utf8), to: directory + "/authority.pem")
        return try load(from: directory)
    }

    /// Reads the files of `directory`; throws `StoreError` when they are open to others.
    package static func load(from directory: String) throws -> CertificateAuthority {
        let keyPath = directory + "/authority.key"
        try PrivateFiles.requirePrivate(directory)
        try PrivateFiles.requirePrivate(keyPath)
        let pem = try String(contentsOfFile: directory + "/authority.pem", encoding: .utf8)
        let key = try P256.Signing.PrivateKey(
            pemRepresentation: try String(contentsOfFile: keyPath, encoding: .utf8))
        return try CertificateAuthority(pem: pem, key: key)
    }

    private init(pem: String, key: P256.Signing.PrivateKey) throws {
        certificate = try Certificate(pemEncoded: pem)
        self.key = .init(key)
        var serializer = DER.Serializer()
        try serializer.serialize(certificate)
        fingerprint = SHA256Hasher.digest(of: serializer.serializedBytes)
        certificatePEM = pem
    }

    /// Signs a host's request. The name is the one that the coordinator decided on; the request
    /// gives the public key only, and proves that the host has its private half.
    package func issue(
        host: HostID, request pem: String, lifetime: Milliseconds, now: Timestamp
    ) throws -> Issued {
        let request = try CertificateSigningRequest(pemEncoded: pem)
        guard request.publicKey.isValidSignature(request.signature, for: request) else {
            throw Refusal(
                code: "bad_request",
                reason: "the certificate request of \(host) is not signed by its own key")
        }
        return try issue(
            publicKey: request.publicKey, name: "belay://host/\(host)", common: host.rawValue,
            alternatives: [], usage: .clientAuth, lifetime: lifetime, now: now)
    }

    /// Makes a key and a certificate for a coordinator that answers at these names and addresses.
    package func issueCoordinator(
        name: String, dnsNames: [String], addresses: [[UInt8]], lifetime: Milliseconds,
        now: Timestamp
    ) throws -> Issued {
        let fresh = P256.Signing.PrivateKey()
        let alternatives =
            dnsNames.map { GeneralName.dnsName($0) }
            + addresses.map { GeneralName.ipAddress(ASN1OctetString(contentBytes: $0[...])) }
        var issued = try issue(
            publicKey: .init(fresh.publicKey), name: "belay://coordinator/\(name)", common: name,
            alternatives: alternatives, usage: .serverAuth, lifetime: lifetime, now: now)
        issued.key = fresh.pemRepresentation
        return issued
    }

    private func issue(
        publicKey: Certificate.PublicKey, name: String, common: String,
        alternatives: [GeneralName], usage: ExtendedKeyUsage.Usage, lifetime: Milliseconds,
        now: Timestamp
    ) throws -> Issued {
        let serial = Certificate.SerialNumber()
        let ends = min(now + lifetime, Timestamp(certificate.notValidAfter))
        // For holders whose clocks are behind; a short life must not seem to be over by that.
        let backdated = Milliseconds(min(300_000, lifetime.count / 10))
        let issued = try Certificate(
            version: .v3, serialNumber: serial, publicKey: publicKey,
            notValidBefore: Self.date(now + Milliseconds(-backdated.count)),
            notValidAfter: Self.date(ends), issuer: certificate.subject,
            subject: try DistinguishedName { CommonName(String(common.prefix(64))) },
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([usage])
                SubjectAlternativeNames([.uniformResourceIdentifier(name)] + alternatives)
            },
            issuerPrivateKey: key)
        let digits = serial.bytes.map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
        }
        return Issued(
            certificate: try issued.serializeAsPEM().pemString + "\n", key: "",
            serial: digits.joined(), ends: ends)
    }

    private static func date(_ time: Timestamp) -> Date {
        Date(timeIntervalSince1970: Double(time.milliseconds / 1000))
    }
}

extension Timestamp {
    init(_ date: Date) { self.init(milliseconds: Int64(date.timeIntervalSince1970 * 1000)) }
}
