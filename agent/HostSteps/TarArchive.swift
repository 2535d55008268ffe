import Glibc
import HostProcesses

/// Reads the headers of a tar file (ustar, pax and GNU) and refuses what must not be unpacked, so
/// that nothing of a hostile archive ever reaches the disk.
struct TarArchive {
    private static let block = 512
    /// A long name or pax header larger than this is refused.
    private static let metadataBytesMax = 1 << 20

    private let file: Int32
    private let size: Int64
    private var links: Set<String> = []

    /// Checks all of the plain tar file at `path`; throws with the first thing that is refused.
    static func check(_ path: String) throws(StepFailure) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw StepFailure("\(path): \(errorText(errno))") }
        defer { close(file) }
        var archive = TarArchive(file: file, size: Int64(lseek(file, 0, SEEK_END)))
        try archive.checkAll()
    }

    private init(file: Int32, size: Int64) {
        self.file = file
        self.size = max(0, size)
    }

    private mutating func checkAll() throws(StepFailure) {
        var offset: Int64 = 0
        var longName: String?
        var longLink: String?
        var entries = 0
        while true {
            let header = try read(Self.block, at: offset)
            if header.allSatisfy({ $0 == 0 }) { break }
            try checkSum(header)
            offset += Int64(Self.block)
            let length = try number(header[124..<136], max: size)
            let type = header[156]
            let data = offset
            offset += (length + 511) / 512 * 512
            guard offset <= size else { throw StepFailure("the archive is cut off") }
            switch type {
            case UInt8(ascii: "L"): longName = try text(length, at: data)
            case UInt8(ascii: "K"): longLink = try text(length, at: data)
            case UInt8(ascii: "x"):
                let fields = try pax(length, at: data)
                longName = fields["path"] ?? longName
                longLink = fields["linkpath"] ?? longLink
            case UInt8(ascii: "g"):
                let fields = try pax(length, at: data)
                guard fields["path"] == nil && fields["linkpath"] == nil else {
                    throw StepFailure("the archive sets one path for all of its entries")
                }
            default:
                entries += 1
                try checkEntry(
                    type, longName ?? name(header), longLink ?? field(header[157..<257]))
                longName = nil
                longLink = nil
            }
        }
        guard entries > 0 else { throw StepFailure("the archive holds nothing") }
    }

    private mutating func checkEntry(
        _ type: UInt8, _ name: String, _ target: String
    ) throws(StepFailure) {
        guard !name.isEmpty && !name.hasPrefix("/") else {
            throw StepFailure("the archive holds the absolute path \(name)")
        }
        let parts = name.split(separator: "/").filter { $0 != "." }.map(String.init)
        guard !parts.contains("..") else { throw StepFailure("the archive holds the path \(name)") }
        for count in 1..<max(1, parts.count) {
            guard !links.contains(parts.prefix(count).joined(separator: "/")) else {
                throw StepFailure("the archive puts \(name) behind a symbolic link of its own")
            }
        }
        switch type {
        case UInt8(ascii: "0"), 0, UInt8(ascii: "7"), UInt8(ascii: "5"): break
        case UInt8(ascii: "1"): try checkTarget(target, from: [], name)
        case UInt8(ascii: "2"):
            try checkTarget(target, from: parts.dropLast(), name)
            links.insert(parts.joined(separator: "/"))
        case UInt8(ascii: "3"), UInt8(ascii: "4"), UInt8(ascii: "6"):
            throw StepFailure("the archive holds \(name), which is a device or a pipe")
        default:
            throw StepFailure("the archive holds \(name) of a kind that is not unpacked")
        }
    }

    /// A link's target must stay inside, whatever folder it begins in.
    private func checkTarget(
        _ target: String, from folder: some Sequence<String>, _ name: String
    ) throws(StepFailure) {
        var depth = Array(folder).count
        var isInside = !target.hasPrefix("/") && !target.isEmpty
        for part in target.split(separator: "/") where part != "." {
            depth += part == ".." ? -1 : 1
            if depth < 0 { isInside = false }
        }
        guard isInside else {
            throw StepFailure("the archive holds \(name), a link to \(target) outside of it")
        }
    }

    private func name(_ header: [UInt8]) -> String {
        let name = field(header[0..<100])
        guard header[257..<263].elementsEqual("ustar\0".utf8) else { return name }
        let prefix = field(header[345..<500])
        return prefix.isEmpty ? name : prefix + "/" + name
    }

    private func field(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    private func number(
        _ bytes: ArraySlice<UInt8>, max limit: Int64
    ) throws(StepFailure) -> Int64 {
        let value: UInt64?
        if let first = bytes.first, first & 0x80 != 0 {
            // GNU's binary numbers, for sizes of 8 GiB and more.
            value = bytes.suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
        } else {
            let digits = bytes.filter { (0x30...0x37).contains($0) }
            value = digits.isEmpty ? 0 : UInt64(String(decoding: digits, as: UTF8.self), radix: 8)
        }
        guard let value, value <= UInt64(limit) else {
            throw StepFailure("the archive is cut off or damaged")
        }
        return Int64(value)
    }

    private func checkSum(_ header: [UInt8]) throws(StepFailure) {
        let blank = 8 * 0x20
        let sum = header.reduce(0) { $0 + Int($1) } - header[148..<156].reduce(0) { $0 + Int($1) }
        guard try number(header[148..<156], max: .max) == Int64(sum + blank) else {
            throw StepFailure("the artifact is neither a tar archive nor one in gzip, or damaged")
        }
    }

    private func text(_ length: Int64, at offset: Int64) throws(StepFailure) -> String {
        field(try read(Int(length), at: offset)[...])
    }

    private func pax(_ length: Int64, at offset: Int64) throws(StepFailure) -> [String: String] {
        var rest = try read(Int(length), at: offset)[...]
        var fields: [String: String] = [:]
        while let blank = rest.firstIndex(of: 0x20) {
            guard let count = Int(String(decoding: rest[..<blank], as: UTF8.self)),
                count > blank - rest.startIndex + 1, count <= rest.count
            else { throw StepFailure("the archive has a damaged header") }
            let record = rest[(blank + 1)..<(rest.startIndex + count - 1)]
            if let equals = record.firstIndex(of: UInt8(ascii: "=")) {
                let key = String(decoding: record[..<equals], as: UTF8.self)
                guard key != "size" && !key.hasPrefix("GNU.sparse") else {
                    throw StepFailure("the archive holds a sparse or very large file")
                }
                fields[key] = String(decoding: record[(equals + 1)...], as: UTF8.self)
            }
            rest = rest.dropFirst(count)
        }
        return fields
    }

    private func read(_ count: Int, at offset: Int64) throws(StepFailure) -> [UInt8] {
        guard count <= Self.metadataBytesMax else {
            throw StepFailure("the archive has a header that is too large")
        }
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = bytes.withUnsafeMutableBytes {
                pread(file, $0.baseAddress?.advanced(by: done), count - done, off_t(offset) + done)
            }
            if got < 0 && errno == EINTR { continue }
            guard got > 0 else { throw StepFailure("the archive is cut off") }
            done += got
        }
        return bytes
    }
}
