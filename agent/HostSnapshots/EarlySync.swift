import Glibc

/// Lets the disk work while a restore writes: each time that enough was written, a thread of its own
/// syncs the file system, so that the sync at the end, which is the one that counts, is short.
///
/// It has a descriptor of its own: an error that `syncfs` reports here is reported once more by the
/// last one, since each open file hears of it for itself.
// Proof: what can change is under the monitor; the folder is used by its thread alone.
final class EarlySync: @unchecked Sendable {
    private let folder: Descriptor
    private let monitor = Monitor()
    private var pending = 0
    private var isOver = false
    private var worker: Worker?

    /// For the file system of `folder`; nil if that cannot be opened once more.
    init?(of folder: Descriptor) {
        guard let own = folder.open([UInt8(ascii: ".")], O_RDONLY | O_DIRECTORY) else {
            return nil
        }
        self.folder = own
    }

    /// `bytes` more were written. By any thread.
    func wrote(_ bytes: Int) {
        let isDue = monitor.look {
            pending += bytes
            return pending >= SnapshotLimits.earlySyncBytes
        }
        if isDue { monitor.change {} }
    }

    /// Begins to watch. To be called once, and `stop` after it.
    func start() {
        worker = Worker { [self] in
            while takeDue() { _ = folder.calls.syncfs(folder.raw) }
        }
    }

    /// Ends the thread; one sync that is under way is waited for.
    func stop() {
        monitor.change { isOver = true }
        worker?.join()
        worker = nil
    }

    private func takeDue() -> Bool {
        monitor.wait { () -> Bool? in
            if isOver { return false }
            guard pending >= SnapshotLimits.earlySyncBytes else { return nil }
            pending = 0
            return true
        }
    }
}
