import Glibc

/// Says on stderr what is being done; the table alone goes to stdout.
enum Narrator {
    static func say(_ text: String) { put("bench: \(text)\n", to: 2) }

    static func print(_ text: String) { put(text + "\n", to: 1) }

    private static func put(_ text: String, to file: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }

    /// Seconds with as many digits as mean something.
    static func seconds(_ value: Double) -> String { "\(number(value)) s" }

    /// A number with about three digits; one that counts something has none after the point.
    static func number(_ value: Double, unit: String = "") -> String {
        if unit == "calls" { return String(Int(value.rounded())) }
        let digits = abs(value) >= 100 ? 0 : abs(value) >= 10 ? 1 : abs(value) >= 0.1 ? 2 : 3
        let factor = pow(10, Double(digits))
        let rounded = (value * factor).rounded() / factor
        guard digits > 0 else { return String(Int(rounded)) }
        let parts = String(rounded).split(separator: ".")
        let fraction = parts.count > 1 ? parts[1] : ""
        let zeros = String(repeating: "0", count: max(0, digits - fraction.count))
        return "\(parts[0]).\(fraction)\(zeros)"
    }
}
