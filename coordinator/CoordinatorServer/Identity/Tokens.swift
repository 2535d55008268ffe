import FleetTransport
package import FleetWire
import Foundation

/// Makes and reads the two kinds of tokens; only hashes of their secrets are ever kept.
package enum Tokens {
    /// What a printed enrolment token says.
    package struct Enrolment: Codable, Sendable {
        /// Finds the kept half.
        package var id: String
        /// Proves that the holder was given it.
        package var secret: String
        /// The authority that the host must find at the coordinator.
        package var ca: Digest
    }

    private static let enrolmentPrefix = "belay-enroll-v1."
    private static let accessPrefix = "belay_"

    /// 32 random bytes, base64url.
    package static func secret() -> String { base64url(Data(randomBytes(32))) }

    /// A short random id.
    package static func id() -> String {
        randomBytes(6).map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }

    private static func randomBytes(_ count: Int) -> [UInt8] {
        var source = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &source) }
    }

    /// The hash that is kept of a secret.
    package static func hash(_ secret: String) -> Digest {
        SHA256Hasher.digest(of: Array(secret.utf8))
    }

    /// Compares hashes in constant time; hashes of random secrets leak nothing by their order.
    package static func matches(_ secret: String, _ kept: Digest) -> Bool {
        zip(hash(secret).hex.utf8, kept.hex.utf8).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// Prints an enrolment token.
    package static func print(_ token: Enrolment) throws -> String {
        enrolmentPrefix + base64url(Data(try WireJSON.encode(token)))
    }

    /// Reads a printed enrolment token; nil if it is none.
    package static func readEnrolment(_ text: String) -> Enrolment? {
        guard text.hasPrefix(enrolmentPrefix), text.utf8.count < 2048,
            let data = bytes(base64url: String(text.dropFirst(enrolmentPrefix.count)))
        else { return nil }
        return try? WireJSON.decode(Enrolment.self, from: Array(data))
    }

    /// Prints a token for the API: `belay_<id>_<secret>`.
    package static func printAccess(id: String, secret: String) -> String {
        accessPrefix + id + "_" + secret
    }

    /// Reads a token for the API; nil if it is none.
    package static func readAccess(_ text: String) -> (id: String, secret: String)? {
        guard text.hasPrefix(accessPrefix), text.utf8.count < 256 else { return nil }
        let parts = text.dropFirst(accessPrefix.count).split(separator: "_", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        return (String(parts[0]), String(parts[1]))
    }

    private static func base64url(_ data: Data) -> String {
        data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            .replacing("=", with: "")
    }

    private static func bytes(base64url text: String) -> Data? {
        let plain = text.replacing("-", with: "+").replacing("_", with: "/")
        return Data(base64Encoded: plain + String(repeating: "=", count: (4 - plain.count % 4) % 4))
    }
}
