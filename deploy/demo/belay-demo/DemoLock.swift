import Glibc

/// Keeps two demos from using one folder at the same time; the kernel lets it go with the process.
final class DemoLock: Sendable {
    private let file: Int32

    init(_ layout: DemoLayout) throws {
        let path = layout.directory + ".lock"
        file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw DemoFailure("cannot open \(path): \(String(cString: strerror(errno)))")
        }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            close(file)
            throw DemoFailure(
                "another demo plays in \(layout.directory); wait for it, or choose another --dir")
        }
    }

    deinit { close(file) }
}
