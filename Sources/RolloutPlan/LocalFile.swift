import Crypto
import FleetWire
// FileHandle, for reading in pieces, is not in FoundationEssentials.
import Foundation

/// A file on the operator's machine that a plan is, or names.
struct LocalFile {
    /// Why a file cannot be used.
    struct Failure: Error {
        /// One sentence.
        var reason: String
    }

    let path: String

    init(_ path: String) { self.path = path }

    /// The folder of `path`; empty if it names none.
    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// All of its bytes; a file of more than `bytesMax` is refused before it is read.
    func read(bytesMax: Int) throws(Failure) -> [UInt8] {
        guard try size() <= UInt64(bytesMax) else {
            throw Failure(reason: "\(path) is larger than \(bytesMax / 1024) KiB")
        }
        var bytes: [UInt8] = []
        try eachPiece { bytes += $0 }
        guard bytes.count <= bytesMax else {
            throw Failure(reason: "\(path) is larger than \(bytesMax / 1024) KiB")
        }
        return bytes
    }

    /// Its SHA-256 and size, read in pieces.
    func digest() throws(Failure) -> (FleetWire.Digest, ByteCount) {
        guard try size() > 0 else { throw Failure(reason: "\(path) is empty") }
        var hash = SHA256()
        var count: UInt64 = 0
        try eachPiece { piece in
            hash.update(data: piece)
            count += UInt64(piece.count)
        }
        guard let digest = FleetWire.Digest(bytes: Array(hash.finalize())) else {
            throw Failure(reason: "the digest of \(path) has not 32 bytes")
        }
        return (digest, ByteCount(count))
    }

    private func size() throws(Failure) -> UInt64 {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw Failure(reason: "there is no file \(path)")
        }
        guard !isFolder.boolValue else { throw Failure(reason: "\(path) is a folder, not a file") }
        // Follow links: what counts is what they lead to.
        let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: real),
            attributes[.type] as? FileAttributeType == .typeRegular,
            let size = attributes[.size] as? NSNumber
        else { throw Failure(reason: "\(path) is not a regular file") }
        return size.uint64Value
    }

    private func eachPiece(_ body: (Data) -> Void) throws(Failure) {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw Failure(reason: "\(path) cannot be opened; may you read it?")
        }
        do {
            defer { try? handle.close() }
            while let piece = try handle.read(upToCount: 1 << 20), !piece.isEmpty { body(piece) }
        } catch {
            throw Failure(reason: "\(path) cannot be read: \(error.localizedDescription)")
        }
    }
}
