import FleetTransport
import FleetWire
import Glibc
import HostProcesses
import Validation

/// The check `file_digest`.
struct FileDigestValidator: Validator {
    let spec = ValidatorSpec.fileDigest

    func look(_ parameters: CheckParameters, _ context: LookContext) async -> Finding {
        guard let digest = Digest(parameters["digest"]) else {
            return .unknown("the digest is malformed", "correct the check in the plan")
        }
        let path = parameters["path"]
        return await context.blocking { Self.compare(path, with: digest, $0) }
    }

    private static func compare(
        _ path: String, with wanted: Digest, _ cancellation: OwnThread.Cancellation
    ) -> Finding {
        let remedy = "deploy the file again"
        var status = stat()
        guard stat(path, &status) == 0 else {
            let code = errno
            return code == ENOENT || code == ENOTDIR
                ? .fail("\(path) is missing, \(wanted) wanted", remedy)
                : .unknown("\(path): \(errorText(code))", "check owner and permissions")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            return .fail("\(path) is not a regular file, \(wanted) wanted", remedy)
        }
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            return .unknown("\(path): \(errorText(errno))", "check owner and permissions")
        }
        defer { close(file) }
        let hasher = SHA256Hasher()
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        while !cancellation.isCancelled {
            let count = read(file, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else {
                return .unknown("\(path): \(errorText(errno))", "check the disk")
            }
            if count == 0 {
                let found = hasher.finish()
                return found == wanted
                    ? .pass("\(found) as wanted") : .fail("\(found), \(wanted) wanted", remedy)
            }
            buffer.withUnsafeBytes { hasher.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        }
        return .unknown("cancelled", "run the check again")
    }
}
