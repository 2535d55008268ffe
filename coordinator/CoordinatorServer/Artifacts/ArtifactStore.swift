import FleetTransport
package import FleetWire
import Foundation
import Glibc
package import NIOCore
package import NIOPosix
import OperatorAPI

/// Artifacts by digest, one file each, in a private directory. A file is there only once all its
/// bytes are, are the right ones, and are on the disk.
package struct ArtifactStore: Sendable {
    private let directory: String
    private let bytesMax: Int64
    private let threads: NIOThreadPool

    /// A store in `directory`, which is made (mode 0700) if it is missing; what interrupted uploads
    /// left there is removed. Throws when the directory cannot be used.
    package init(
        directory: String, bytesMax: Int64 = CoordinatorLimits.artifactBytesMax,
        threads: NIOThreadPool = .singleton
    ) throws {
        self.directory = directory
        self.bytesMax = bytesMax
        self.threads = threads
        let files = FileManager.default
        if !files.fileExists(atPath: directory) {
            try files.createDirectory(
                atPath: directory, withIntermediateDirectories: false,
                attributes: [.posixPermissions: 0o700])
        }
        for name in try files.contentsOfDirectory(atPath: directory)
        where name.hasPrefix(Self.partial) {
            try files.removeItem(atPath: directory + "/" + name)
        }
    }

    private static let partial = ".upload-"

    private func path(of digest: Digest) -> String { directory + "/" + digest.hex }

    /// The file of an artifact; nil if it was not uploaded.
    package func file(of digest: Digest) -> String? {
        let path = path(of: digest)
        return access(path, R_OK) == 0 ? path : nil
    }

    /// True if an artifact is here with the right bytes. A damaged one is removed, so that it can be
    /// uploaded again. Throws when it cannot be read.
    package func isWhole(_ digest: Digest) async throws -> Bool {
        guard let path = file(of: digest) else { return false }
        return try await threads.runIfActive {
            let found = try Self.digest(of: path)
            if found != digest, unlink(path) != 0 { throw Self.failure("remove", path) }
            return found == digest
        }
    }

    private static func digest(of path: String) throws -> Digest {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failure("read", path) }
        defer { close(file) }
        let hasher = SHA256Hasher()
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = read(file, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("read", path) }
            if count == 0 { return hasher.finish() }
            buffer.withUnsafeBytes {
                hasher.update(UnsafeRawBufferPointer(rebasing: $0[..<count]))
            }
        }
    }

    /// Takes an artifact's bytes; `length` is what the sender announced. False if it was there
    /// already, and then the bytes are not read. Throws `APIFailure` for too many or wrong bytes
    /// and for a full disk; nothing is left of it then.
    package func receive<Body: AsyncSequence>(
        _ digest: Digest, length: Int64?, body: Body
    ) async throws -> Bool where Body.Element == ByteBuffer {
        if file(of: digest) != nil { return false }
        try check(length ?? 0)
        let beside = directory + "/" + Self.partial + Tokens.id()
        let file = try Self.create(beside)
        var isKept = false
        defer {
            close(file)
            if !isKept { unlink(beside) }
        }
        let found = try await write(body, to: file, length: length)
        guard found == digest else {
            throw APIFailure(
                code: "invalid", message: "the bytes that arrived have the digest \(found)",
                remedy: "upload the file that \(digest) was computed of")
        }
        let target = path(of: digest)
        let directory = directory
        try await threads.runIfActive {
            guard fsync(file) == 0, rename(beside, target) == 0 else {
                throw Self.failure("keep", target)
            }
            try Self.sync(directory)
        }
        isKept = true
        return true
    }

    private func write<Body: AsyncSequence>(
        _ body: Body, to file: Int32, length: Int64?
    ) async throws -> Digest where Body.Element == ByteBuffer {
        let hasher = SHA256Hasher()
        var received: Int64 = 0
        var unchecked = 0
        for try await piece in body {
            received += Int64(piece.readableBytes)
            unchecked += piece.readableBytes
            if unchecked > Self.checkEvery || received > bytesMax {
                try check(length == nil ? Int64(unchecked) : 0, received: received)
                unchecked = 0
            }
            piece.withUnsafeReadableBytes { hasher.update($0) }
            try await threads.runIfActive { try Self.write(piece, to: file) }
        }
        if let length, received != length {
            throw APIFailure(
                code: "invalid", message: "\(received) of \(length) bytes arrived",
                remedy: "upload it again")
        }
        return hasher.finish()
    }

    private static let checkEvery = 8 << 20

    private func check(_ more: Int64, received: Int64 = 0) throws {
        guard more <= bytesMax, received <= bytesMax else {
            throw APIFailure(
                code: "too_large", message: "an artifact may have \(bytesMax) bytes at most")
        }
        var info = statvfs()
        guard statvfs(directory, &info) == 0 else { throw Self.failure("look at", directory) }
        let free = UInt64(info.f_bavail) * UInt64(info.f_frsize)
        guard free >= CoordinatorLimits.spareBytes + UInt64(max(0, more)) else {
            throw APIFailure(
                code: "no_space",
                message: "the coordinator's disk has \(free) bytes left for \(more) more",
                remedy: "free some space below \(directory)")
        }
    }

    private static func create(_ path: String) throws -> Int32 {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure("create", path) }
        return file
    }

    private static func write(_ piece: ByteBuffer, to file: Int32) throws {
        try piece.withUnsafeReadableBytes { bytes in
            var sent = 0
            while sent < bytes.count {
                let count = Glibc.write(
                    file, bytes.baseAddress.map { $0 + sent }, bytes.count - sent)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw failure("write", "an upload") }
                sent += count
            }
        }
    }

    private static func sync(_ directory: String) throws {
        let file = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { throw failure("sync", directory) }
        defer { close(file) }
        guard fsync(file) == 0 else { throw failure("sync", directory) }
    }

    private static func failure(_ attempt: String, _ path: String) -> APIFailure {
        let reason = errno
        return APIFailure(
            code: reason == ENOSPC ? "no_space" : "failed",
            message: "cannot \(attempt) \(path): \(String(cString: strerror(reason)))",
            remedy: "look at the coordinator's disk")
    }
}
