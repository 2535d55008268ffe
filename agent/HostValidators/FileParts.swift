import Glibc
import HostProcesses

/// Reads a file in parts, so that its size does not matter.
struct FileParts {
    struct Failure: Error {
        let reason: String
        /// True if there is no such file.
        let isMissing: Bool
    }

    /// Calls `body` with each part of the file, in order. Throws if it cannot be read, or was
    /// cancelled.
    static func forEach(
        of path: String, _ cancellation: OwnThread.Cancellation, _ body: (ArraySlice<UInt8>) -> Void
    ) throws(Failure) {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            let code = errno
            throw Failure(
                reason: "\(path): \(errorText(code))", isMissing: code == ENOENT || code == ENOTDIR)
        }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 1 << 17)
        while true {
            if cancellation.isCancelled { throw Failure(reason: "cancelled", isMissing: false) }
            let count = read(file, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else {
                throw Failure(reason: "\(path): \(errorText(errno))", isMissing: false)
            }
            if count == 0 { return }
            body(buffer[..<count])
        }
    }
}

/// Cuts bytes that come in parts into lines, without their ends; empty ones are left out.
struct LineCutter {
    private var rest: [UInt8] = []

    mutating func take(_ bytes: ArraySlice<UInt8>, _ body: (ArraySlice<UInt8>) -> Void) {
        var begin = bytes.startIndex
        while let end = bytes[begin...].firstIndex(of: 10) {
            if rest.isEmpty {
                Self.give(bytes[begin..<end], body)
            } else {
                rest += bytes[begin..<end]
                Self.give(rest[...], body)
                rest = []
            }
            begin = end + 1
        }
        rest += bytes[begin...]
    }

    mutating func finish(_ body: (ArraySlice<UInt8>) -> Void) {
        Self.give(rest[...], body)
        rest = []
    }

    private static func give(_ line: ArraySlice<UInt8>, _ body: (ArraySlice<UInt8>) -> Void) {
        let line = line.last == 13 ? line.dropLast() : line
        if !line.isEmpty { body(line) }
    }
}
