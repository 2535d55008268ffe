import FleetWire
import Foundation
import NIOCore
import RolloutPlan

/// Brings local artifacts to the coordinator, those that it does not have.
struct ArtifactUpload {
    let client: APIClient
    let console: Console

    /// Asks for each, then sends what is missing.
    func run(_ plan: Plan, files: [Digest: String]) async throws {
        for (digest, file) in files.sorted(by: { $0.key < $1.key }) {
            let name = plan.artifacts.first { $0.digest == digest }?.name ?? digest.short
            let path = Path("/v1/artifacts").adding(digest.hex)
            if try await client.exists(path, to: "ask for artifact \(name)") { continue }
            try await send(name: name, file: file, to: path)
        }
    }

    private func send(name: String, file: String, to path: Path) async throws {
        guard let handle = FileHandle(forReadingAtPath: file),
            let size = try? handle.seekToEnd(), (try? handle.seek(toOffset: 0)) != nil
        else {
            throw CommandFailure(
                .invalid, "cannot read \(file), artifact \(name)",
                remedy: "look whether the file is there and readable")
        }
        defer { try? handle.close() }
        let progress = UploadProgress(name: name, total: size, console: console)
        let chunks = FileChunks(handle: handle, progress: progress)
        try await client.upload(
            path, chunks: chunks, length: Int64(size), to: "upload artifact \(name) from \(file)")
        progress.finish()
    }
}

/// A file in pieces, read as the network takes them.
private struct FileChunks: AsyncSequence, Sendable {
    let handle: FileHandle
    let progress: UploadProgress

    struct AsyncIterator: AsyncIteratorProtocol {
        let handle: FileHandle
        let progress: UploadProgress
        var sent: UInt64 = 0

        mutating func next() async throws -> ByteBuffer? {
            guard let data = try handle.read(upToCount: 256 << 10), !data.isEmpty else {
                return nil
            }
            sent += UInt64(data.count)
            progress.show(sent)
            return ByteBuffer(bytes: data)
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(handle: handle, progress: progress)
    }
}

/// Shows how far an upload is: a bar on a terminal, one line at its end elsewhere.
private struct UploadProgress: Sendable {
    let name: String
    let total: UInt64
    let console: Console

    func show(_ sent: UInt64) {
        guard console.isTerminal else { return }
        let bar = ProgressBar.text(
            done: Int(total == 0 ? 1 : sent * 1000 / total), total: total == 0 ? 1 : 1000,
            columns: 30, style: console.style, role: .active)
        console.write(
            "\r\(name) \(bar) \(ByteCount(sent).text) of "
                + "\(ByteCount(total).text)\u{1B}[K")
    }

    func finish() {
        let end = console.isTerminal ? "\r" : ""
        let rest = console.isTerminal ? "\u{1B}[K" : ""
        console.line("\(end)uploaded \(name), \(ByteCount(total).text)\(rest)")
    }
}
