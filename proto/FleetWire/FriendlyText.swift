/// How people write quantities (docs/reference/plan.md, "Quantities").

extension Milliseconds {
    /// Reads `250ms`, `30s`, `5m`, `2h`, `1d` and sums such as `1h30m`, largest unit first, each
    /// unit once; nil for anything else and for more than 365 days.
    package init?(friendly text: String) {
        let units: [(name: String, milliseconds: Int64)] = [
            ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
        ]
        var rest = Substring(text)
        var allowed = units[...]
        var total: Int64 = 0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            guard let (number, after) = leadingNumber(rest) else { return nil }
            let name = after.prefix { $0.isLetter }
            guard let index = allowed.firstIndex(where: { $0.name == name }) else { return nil }
            let (span, overflow) = number.multipliedReportingOverflow(by: units[index].milliseconds)
            guard !overflow, span <= 365 * 86_400_000 else { return nil }
            total += span
            allowed = units[(index + 1)...]
            rest = after.dropFirst(name.count)
        }
        guard total <= 365 * 86_400_000 else { return nil }
        self.init(total)
    }

    /// `1h30m`, `250ms`, `0s`: the form that `init(friendly:)` reads.
    package var friendly: String {
        guard count > 0 else { return "\(count)ms" }
        var rest = count
        var text = ""
        for (name, size) in [
            ("d", Int64(86_400_000)), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
        ] where rest >= size {
            text += "\(rest / size)\(name)"
            rest %= size
        }
        return text
    }
}

extension ByteCount {
    /// Reads `4096`, `500MB` (powers of 1000) and `1GiB` (powers of 1024), with `B`, `kB`, `MB`,
    /// `GB`, `TB`, `KiB`, `MiB`, `GiB`, `TiB`; nil for anything else.
    package init?(friendly text: String) {
        guard let (number, after) = leadingNumber(Substring(text)), number >= 0 else { return nil }
        let factor: UInt64? =
            switch String(after.drop { $0 == " " }) {
            case "", "B": 1
            case "kB", "KB": 1000
            case "MB": 1_000_000
            case "GB": 1_000_000_000
            case "TB": 1_000_000_000_000
            case "KiB": 1 << 10
            case "MiB": 1 << 20
            case "GiB": 1 << 30
            case "TiB": 1 << 40
            default: nil
            }
        guard let factor else { return nil }
        let (size, overflow) = UInt64(number).multipliedReportingOverflow(by: factor)
        guard !overflow, size <= UInt64(Int64.max) else { return nil }
        self.init(size)
    }
}

/// The number at the start, of digits only, and what follows it; nil without one.
private func leadingNumber(_ text: Substring) -> (Int64, Substring)? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let number = Int64(digits) else { return nil }
    return (number, text[digits.endIndex...])
}
