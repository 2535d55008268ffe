import FleetTransport
import FleetWire

/// Counts records and sums them up, in their order or in any.
struct RecordSum: Equatable {
    private(set) var count = 0
    private var sum = [UInt64](repeating: 0, count: 4)
    private let isOrdered: Bool
    private let hasher = SHA256Hasher()

    init(isOrdered: Bool) { self.isOrdered = isOrdered }

    static func == (left: RecordSum, right: RecordSum) -> Bool {
        left.count == right.count && left.sum == right.sum
    }

    /// The sum of all digests as a number of 256 bits. In order, the digest of the last sum and the
    /// record takes its place.
    mutating func add(_ record: ArraySlice<UInt8>) {
        count += 1
        if isOrdered {
            sum.withUnsafeBytes { hasher.update($0) }
            record.withUnsafeBytes { hasher.update($0) }
            sum = Self.words(hasher.finish())
            return
        }
        record.withUnsafeBytes { hasher.update($0) }
        var carry = false
        for (index, word) in Self.words(hasher.finish()).enumerated() {
            let (one, overOne) = sum[index].addingReportingOverflow(word)
            let (both, overBoth) = one.addingReportingOverflow(carry ? 1 : 0)
            sum[index] = both
            carry = overOne || overBoth
        }
    }

    /// The first digits of the sum, for people.
    var text: String {
        let digits = String(sum[0], radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    private static func words(_ digest: Digest) -> [UInt64] {
        let digits = Array(digest.hex)
        return (0..<4).map { word in
            UInt64(String(digits[(16 * word)..<(16 * word + 16)]), radix: 16) ?? 0
        }
    }
}
