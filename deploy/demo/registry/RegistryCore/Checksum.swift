import Crypto

/// SHA-256 as the catalog and the manifests write it.
enum Checksum {
    private static let digits = Array("0123456789abcdef".utf8)

    /// The checksum of bytes: 64 lower-case hexadecimal digits.
    static func sha256(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for byte in SHA256.hash(data: bytes) {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
