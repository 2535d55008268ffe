import FleetWire
import Glibc
import HostProcesses
import Validation

/// The check `disk_space`.
struct DiskSpaceValidator: Validator {
    let spec = ValidatorSpec.diskSpace

    func look(_ parameters: CheckParameters, _ context: LookContext) async -> Finding {
        let path = parameters["path"]
        let wanted = parameters.bytes("bytes_min") ?? ByteCount(0)
        return await context.blocking { _ in Self.space(at: path, wanted.count) }
    }

    private static func space(at path: String, _ wanted: UInt64) -> Finding {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else {
            return .unknown(
                "\(path): \(errorText(errno))", "give a path that exists on this host")
        }
        let free = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        let bytes = free.overflow ? UInt64.max : free.partialValue
        let measured = "\(bytes) bytes free, at least \(wanted) bytes wanted"
        return bytes >= wanted
            ? .pass(measured) : .fail(measured, "free space on the file system of \(path)")
    }
}
