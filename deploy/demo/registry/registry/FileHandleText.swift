import Glibc

/// Text straight to a descriptor, without buffers that an exit could lose.
enum FileHandleText {
    /// Why a text could not be written.
    struct Failure: Error {
        let code: Int32
    }

    /// Writes all of a text.
    static func write(_ text: String, toDescriptor descriptor: Int32) throws {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count >= 0 else {
                guard errno == EINTR else { throw Failure(code: errno) }
                continue
            }
            bytes = bytes.dropFirst(count)
        }
    }
}
