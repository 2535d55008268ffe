import FleetTransport
import FleetWire
import Glibc
import NIOCore

/// Fetches artifacts into `artifacts/`, 0600, resumed where a download stopped, and taken only when
/// their digest is right.
struct ArtifactFetcher: Sendable {
    let state: StateDirectory

    private func path(_ artifact: ArtifactRef) -> String {
        state.file("artifacts/\(artifact.digest.hex)")
    }

    private func part(_ artifact: ArtifactRef) -> String { path(artifact) + ".part" }

    /// True if it is here and whole; a damaged one is removed.
    func isPresent(_ artifact: ArtifactRef) throws -> Bool {
        guard access(path(artifact), F_OK) == 0 else { return false }
        if try digest(of: path(artifact)) == artifact.digest { return true }
        unlink(path(artifact))
        return false
    }

    /// Removes what no transaction needs any more.
    func prune(keeping needed: Set<Digest>) {
        guard let directory = opendir(state.file("artifacts")) else { return }
        defer { closedir(directory) }
        while let item = readdir(directory) {
            let name = withUnsafePointer(to: &item.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            let hex = name.hasSuffix(".part") ? String(name.dropLast(5)) : name
            guard let digest = Digest(hex), !needed.contains(digest) else { continue }
            unlink(state.file("artifacts/\(name)"))
        }
    }

    /// Why the rest of the artifact does not fit the disk, or nil.
    func spaceProblem(_ artifact: ArtifactRef) throws -> String? {
        var info = statvfs()
        guard statvfs(state.file("artifacts"), &info) == 0 else {
            throw StateDirectory.failure("look at the space of", state.file("artifacts"))
        }
        var present = stat()
        let here = stat(part(artifact), &present) == 0 ? UInt64(max(0, present.st_size)) : 0
        let missing = artifact.size.count - min(here, artifact.size.count)
        let free = UInt64(info.f_bavail).multipliedReportingOverflow(by: UInt64(info.f_frsize))
        guard !free.overflow, missing > free.partialValue else { return nil }
        return "artifact \(artifact.name) needs \(missing) bytes, \(free.partialValue) are free on "
            + "the file system of \(state.file("artifacts")); free some"
    }

    /// Downloads what is missing of it.
    func fetch(
        _ artifact: ArtifactRef, _ connector: FleetConnector, _ tls: TLSContext
    ) async throws {
        let name = part(artifact)
        let file = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw StateDirectory.failure("create", name) }
        defer { close(file) }
        var offset = UInt64(max(0, lseek(file, 0, SEEK_END)))
        if offset > artifact.size.count {
            ftruncate(file, 0)
            offset = 0
        }
        guard offset < artifact.size.count else { return }
        var left = artifact.size.count - offset
        try await connector.fetch(artifact.digest, from: offset, tls: tls) { buffer in
            let bytes = buffer.readableBytesView
            guard UInt64(bytes.count) <= left else {
                ftruncate(file, 0)
                throw AgentError("the coordinator sends more bytes than the plan says")
            }
            left -= UInt64(bytes.count)
            try Self.write(Array(bytes), file, name)
        }
        // The coordinator sent all that it has: asking again would give no more.
        guard left == 0 else {
            unlink(name)
            throw AgentError(
                "the coordinator has \(left) bytes less than the plan says",
                remedy: "it was cut off there: upload it again")
        }
        guard fsync(file) == 0 else { throw StateDirectory.failure("sync", name) }
    }

    private static func write(_ bytes: [UInt8], _ file: Int32, _ name: String) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(file, $0.baseAddress.map { $0 + sent }, bytes.count - sent)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw StateDirectory.failure("write", name) }
            sent += count
        }
    }

    /// Puts a download into its place; nil, or why it is refused. A refused one is removed.
    func accept(_ artifact: ArtifactRef) throws -> String? {
        let found = try digest(of: part(artifact))
        guard found == artifact.digest else {
            unlink(part(artifact))
            return "artifact \(artifact.name) has the digest \(found.short), the plan says "
                + "\(artifact.digest.short); it was corrupted at the coordinator: upload it again"
        }
        guard rename(part(artifact), path(artifact)) == 0 else {
            throw StateDirectory.failure("put in place", path(artifact))
        }
        return nil
    }

    private func digest(of path: String) throws -> Digest {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw StateDirectory.failure("read", path) }
        defer { close(file) }
        let hasher = SHA256Hasher()
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = Glibc.read(file, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw StateDirectory.failure("read", path) }
            if count == 0 { return hasher.finish() }
            hasher.update(Array(buffer.prefix(count)))
        }
    }
}
