import CLinux
import Glibc

/// Holds a program back until its process group was noted: it begins only after `open`, and never
/// if this process dies before. A shell waits in its place for a line, then becomes the program.
struct ProcessGate {
    /// What the shell runs; its arguments are the program's.
    static let script = "read -r go <&\(place) && exec \"$@\" \(place)<&-"
    /// The descriptor at which the shell waits.
    static let place: Int32 = 3

    /// The end that the waiting process reads.
    let read: Int32
    private let write: Int32

    /// Nil if there is no pipe to be had.
    init?() {
        var ends: [Int32] = [-1, -1]
        guard pipe2(&ends, O_CLOEXEC) == 0 else { return nil }
        (read, write) = (ends[0], ends[1])
    }

    /// Lets the program begin.
    func open() {
        let line: [UInt8] = Array("go\n".utf8)
        _ = Glibc.write(write, line, line.count)
    }

    /// Closes both ends; unless it was opened, the program never begins.
    func close() {
        Glibc.close(read)
        Glibc.close(write)
    }
}
