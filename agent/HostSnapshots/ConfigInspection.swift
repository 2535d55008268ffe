import CLinux
import FleetWire
import Glibc
import HostProcesses

/// Looks at configuration files for what should not be: permissions that let everybody write,
/// secrets that everybody can read, and secrets in clear. No warning repeats a value.
struct ConfigInspection {
    /// Larger files are data.
    private static let fileBytesMax = 1 << 20
    /// Warnings of one component that are kept; more help nobody.
    private static let warningsMax = 50

    let root: HostRoot

    /// Throws if there is anything to warn of.
    func refuse(_ paths: [String], _ name: ComponentName) throws {
        let found = try warnings(paths)
        guard let first = found.first else { return }
        let others = found.count > 1 ? " (and \(found.count - 1) more)" : ""
        throw PointError(
            "capture", "component \(name)", first + others,
            "correct it, or take strict out of the plan")
    }

    /// One sentence a finding, in the order of the paths.
    func warnings(_ paths: [String]) throws -> [String] {
        let findings = Findings(self)
        let walker = TreeWalker(
            root: root, excludes: ExcludePatterns([]), crossesMounts: false, cursor: nil,
            holds: { _ in false }, sink: findings)
        for path in try TreeWalker.ordered(paths) { try walker.walk(path) }
        return findings.warnings
    }

    /// Takes the walk and looks at modes, and into each file.
    private final class Findings: WalkSink {
        private let inspection: ConfigInspection
        private(set) var warnings: [String] = []

        init(_ inspection: ConfigInspection) { self.inspection = inspection }

        func add(known entry: UnsafeRawBufferPointer, _ ordinal: Int, _ status: FileStatus) {}

        func add(_ entry: Entry, _ status: FileStatus?) {
            guard entry.kind == .directory, entry.mode & 0o1000 == 0 else { return }
            look(printable(entry.path), entry.mode)
        }

        func add(
            file status: FileStatus, nameCount: Int, in folder: Descriptor, path: [UInt8]
        ) throws {
            let text = printable(path)
            let mode = UInt32(status.mode & 0o7777)
            look(text, mode)
            let lines = try inspection.secrets(folder, Array(path.suffix(nameCount)), status, path)
            for line in lines { warn("\(text):\(line): a secret stands in clear") }
            if !lines.isEmpty, mode & 0o004 != 0 {
                warn("\(text): it holds a secret and everybody may read it (mode \(octal(mode)))")
            }
        }

        private func look(_ path: String, _ mode: UInt32) {
            if mode & 0o002 != 0 { warn("\(path): everybody may write it (mode \(octal(mode)))") }
        }

        private func octal(_ mode: UInt32) -> String { String(mode, radix: 8) }

        private func warn(_ text: String) {
            if warnings.count < ConfigInspection.warningsMax { warnings.append(text) }
        }
    }

    /// The lines of a file that hold a secret, from 1.
    private func secrets(
        _ parent: Descriptor, _ name: [UInt8], _ found: FileStatus, _ path: [UInt8]
    ) throws -> [Int] {
        guard found.size > 0, found.size <= UInt64(Self.fileBytesMax) else { return [] }
        guard let file = parent.open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY) else {
            throw PointError.system("open", path, errno)
        }
        var bytes = [UInt8](repeating: 0, count: Int(found.size))
        let count = try bytes.withUnsafeMutableBytes { try file.read($0, at: 0, path) }
        guard !bytes[..<count].contains(0) else { return [] }
        return SecretScan.lines(in: bytes[..<count]).map(\.line)
    }
}
