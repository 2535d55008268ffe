import FleetTransport
import FleetWire

/// What is read out of the plain form of a database's archive.
enum PlainDump {
    /// Lines longer than this hold data or definitions, never what is left out of the digest.
    private static let lineBytesMax = 512
    /// The lines that name versions stand among the first of a dump.
    private static let headLines = 32

    /// SHA-256 of a plain dump without what differs between two dumps of the same database: the
    /// versions of server and program, and the random key of `\restrict`.
    static func digest(of text: ScratchFile) throws -> Digest {
        let hash = SHA256Hasher()
        var lines = LineSplitter()
        var number = 0
        var key: [UInt8]?
        try lines.read(text) { line, isWhole in
            if isWhole {
                number += 1
                if number < headLines, line.starts(with: "-- Dumped ".utf8) { return }
                if line.count < lineBytesMax, let found = restriction(line) {
                    if key == nil { key = found }
                    if key == found { return }
                }
            }
            line.withUnsafeBytes { hash.update($0) }
        }
        return hash.finish()
    }

    /// The key of a line `\restrict KEY` or `\unrestrict KEY`.
    private static func restriction(_ line: [UInt8]) -> [UInt8]? {
        for word in ["\\restrict ", "\\unrestrict "] where line.starts(with: word.utf8) {
            return Array(line.dropFirst(word.utf8.count))
        }
        return nil
    }

    /// What belongs to the database itself.
    struct Definition {
        /// What follows the name in CREATE DATABASE.
        var options: String
        /// SQL that gives it owner, privileges, settings and comment, by its name.
        var properties: String
    }

    /// Kinds of entries in an archive's table of contents that belong to the database itself.
    private static let kinds = [
        " DATABASE - ", " DATABASE PROPERTIES - ", " ACL - DATABASE ", " COMMENT - DATABASE ",
        " SECURITY LABEL - DATABASE ",
    ]

    static func definition(
        _ archive: ScratchFile, _ server: PostgresServer, _ store: StoreFiles
    ) throws -> Definition {
        let list = try ScratchFolder("list", store)
        let contents = try string(server.text(archive, .list)).split(separator: "\n")
            .filter { line in !line.hasPrefix(";") && kinds.contains { line.contains($0) } }
        try list.write("list", contents.map { $0 + "\n" }.joined())
        let text = try server.text(archive, .whole, only: list.path + "/list")
        var options: String?
        var properties: [Substring] = []
        for line in try string(text).split(separator: "\n") where !line.hasPrefix("--") {
            if line.hasPrefix("CREATE DATABASE "), options == nil {
                options = line.firstRange(of: " WITH ").map {
                    String(line[$0.lowerBound...].dropLast())
                }
            } else if !line.hasPrefix("\\") {
                properties.append(line)
            }
        }
        guard let options else {
            throw PointError.damaged(
                "the archive of \(server.component.database)", "it does not say how it was created")
        }
        return Definition(options: options, properties: properties.joined(separator: "\n"))
    }

    private static func string(_ text: ScratchFile) throws -> String {
        var bytes: [UInt8] = []
        var lines = LineSplitter()
        try lines.read(text) { line, _ in bytes += line }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Gives a file in lines with their ends; one that is longer than a block comes in parts.
    private struct LineSplitter {
        private var rest: [UInt8] = []
        private var isInLine = false

        mutating func read(_ text: ScratchFile, _ body: ([UInt8], Bool) throws -> Void) throws {
            var buffer = [UInt8](repeating: 0, count: SnapshotLimits.chunkBytes)
            var offset = 0
            while true {
                let count = try buffer.withUnsafeMutableBytes {
                    try text.file.read($0, at: offset, Array(text.path.utf8))
                }
                if count == 0 { break }
                offset += count
                try split(buffer[..<count], body)
            }
            if !rest.isEmpty { try body(rest, !isInLine) }
        }

        private mutating func split(
            _ bytes: ArraySlice<UInt8>, _ body: ([UInt8], Bool) throws -> Void
        ) throws {
            var left = bytes
            while let end = left.firstIndex(of: 0x0A) {
                try body(rest + left[...end], !isInLine)
                rest = []
                isInLine = false
                left = left[(end + 1)...]
            }
            rest += left
            if rest.count > PlainDump.lineBytesMax {
                try body(rest, false)
                rest = []
                isInLine = true
            }
        }
    }
}
