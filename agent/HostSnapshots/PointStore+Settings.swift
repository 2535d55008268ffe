import FleetWire

extension PointStore {
    /// Makes the operator's settings durable; operations that begin later follow them.
    ///
    /// Throws `PointError`, and changes nothing, if a value cannot be written as the format has it
    /// or the key file cannot be used.
    package func set(_ settings: StoreSettings) throws {
        let bytes = Array(settings.text.utf8)
        let path = files.path(of: StoreSettings.fileName)
        guard try StoreSettings(decoding: bytes, path: path) == settings else {
            throw PointError(
                "write the settings", path, "a value is no whole number of its unit",
                "use whole seconds and whole KiB")
        }
        if let key = settings.keyFile { _ = try keys.codec(ofKeyIn: key) }
        try files.replace("", StoreSettings.fileName, bytes)
    }
}

extension StoreSettings {
    /// What `init(decoding:path:)` reads: one key a line.
    var text: String {
        var limits: [String] = []
        if let count = retention?.count { limits.append("\"count\": \(count)") }
        if let age = retention?.age { limits.append("\"age\": \"\(Self.text(age))\"") }
        if let bytes = retention?.bytes { limits.append("\"bytes\": \"\(Self.text(bytes))\"") }
        var lines: [String] = []
        if let keyFile {
            let quoted = (try? WireJSON.encode(keyFile)) ?? []
            lines.append("\"key_file\": \(String(decoding: quoted, as: UTF8.self))")
        }
        if retention != nil {
            lines.append("\"retention\": {\(limits.joined(separator: ", "))}")
        }
        if let scrubEvery { lines.append("\"scrub_every\": \"\(Self.text(scrubEvery))\"") }
        if lines.isEmpty { return "{}\n" }
        return "{\n" + lines.map { "  " + $0 }.joined(separator: ",\n") + "\n}\n"
    }

    private static func text(_ span: Milliseconds) -> String {
        let units: [(Int64, String)] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m")]
        for (unit, name) in units where span.count % unit == 0 {
            return "\(span.count / unit)\(name)"
        }
        return "\(span.count / 1000)s"
    }

    private static func text(_ size: ByteCount) -> String {
        let units: [(UInt64, String)] = [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB")]
        for (unit, name) in units where size.count % unit == 0 {
            return "\(size.count / unit)\(name)"
        }
        return "\(size.count >> 10)KiB"
    }
}
