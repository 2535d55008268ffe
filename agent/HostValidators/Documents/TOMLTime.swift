/// Dates and times of TOML, as RFC 3339 has them.
enum TOMLTime {
    /// `1979-05-27`.
    static func isDate(_ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        return takeDate(&rest) && rest.isEmpty
    }

    /// A date, a time, or both with or without an offset.
    static func isTime(_ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        guard takeDate(&rest) else { return takeClock(&rest) && rest.isEmpty }
        guard let mark = rest.first else { return true }
        guard mark | 0x20 == UInt8(ascii: "t") else { return false }
        rest.removeFirst()
        guard takeClock(&rest) else { return false }
        guard let zone = rest.first else { return true }
        if zone | 0x20 == UInt8(ascii: "z") { return rest.count == 1 }
        guard "+-".utf8.contains(zone) else { return false }
        rest.removeFirst()
        return takeNumber(&rest, 2, 0...23) != nil && take(&rest, ":")
            && takeNumber(&rest, 2, 0...59) != nil && rest.isEmpty
    }

    private static func takeDate(_ rest: inout ArraySlice<UInt8>) -> Bool {
        guard let year = takeNumber(&rest, 4, 0...9999), take(&rest, "-"),
            let month = takeNumber(&rest, 2, 1...12), take(&rest, "-"),
            let day = takeNumber(&rest, 2, 1...31)
        else { return false }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return day <= [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }

    /// Seconds go to 60, as minutes with a leap second have them.
    private static func takeClock(_ rest: inout ArraySlice<UInt8>) -> Bool {
        guard takeNumber(&rest, 2, 0...23) != nil, take(&rest, ":"),
            takeNumber(&rest, 2, 0...59) != nil, take(&rest, ":"),
            takeNumber(&rest, 2, 0...60) != nil
        else { return false }
        guard take(&rest, ".") else { return true }
        let digits = rest.prefix { (0x30...0x39).contains($0) }.count
        rest = rest.dropFirst(digits)
        return digits > 0
    }

    private static func take(_ rest: inout ArraySlice<UInt8>, _ byte: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: byte) else { return false }
        rest.removeFirst()
        return true
    }

    private static func takeNumber(
        _ rest: inout ArraySlice<UInt8>, _ count: Int, _ range: ClosedRange<Int>
    ) -> Int? {
        let digits = rest.prefix(count)
        guard digits.count == count, digits.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int(String(decoding: digits, as: UTF8.self)), range.contains(number)
        else { return nil }
        rest = rest.dropFirst(count)
        return number
    }
}
