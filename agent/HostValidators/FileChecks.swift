import FleetTransport
import FleetWire
import Glibc
import HostProcesses

/// The checks of files and file systems.
enum FileChecks {
    static func diskSpace(_ spec: DiskSpaceCheck, at path: String) -> Finding {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else {
            return .unknown(
                "\(path): \(errorText(errno))", "give a path that exists on this host")
        }
        let free = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        let bytes = free.overflow ? UInt64.max : free.partialValue
        let measured = "\(bytes) bytes free, at least \(spec.bytesMin.count) bytes wanted"
        return bytes >= spec.bytesMin.count
            ? .pass(measured) : .fail(measured, "free space on the file system of \(path)")
    }

    static func digest(
        _ spec: FileDigestCheck, at path: String, cancellation: OwnThread.Cancellation
    ) -> Finding {
        let remedy = "deploy the file again"
        var status = stat()
        guard stat(path, &status) == 0 else {
            let code = errno
            return code == ENOENT || code == ENOTDIR
                ? .fail("\(path) is missing, \(spec.digest) wanted", remedy)
                : .unknown("\(path): \(errorText(code))", "check owner and permissions")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            return .fail("\(path) is not a regular file, \(spec.digest) wanted", remedy)
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
                return found == spec.digest
                    ? .pass("\(found) as wanted") : .fail("\(found), \(spec.digest) wanted", remedy)
            }
            buffer.withUnsafeBytes { hasher.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        }
        return .unknown("cancelled", "run the check again")
    }
}
