import FleetWire
import Glibc

/// A flagd definition file, as far as it must be right to be worth keeping: flagd.dev's schema asks
/// of each flag a state, variants and a default among them, which may be missing or null.
enum FlagFile {
    private struct Ignored: Decodable {
        init(from decoder: any Decoder) {}
    }
    private struct Flag: Decodable {
        var state: String
        var variants: [String: Ignored]
        var defaultVariant: String?
    }
    private struct Document: Decodable { var flags: [String: Flag] }

    /// Throws if something stands at `path` that is no flagd file. What is absent can be captured.
    static func check(_ path: String, below root: HostRoot) throws {
        let bytes = Array(path.utf8)
        guard let (parent, name) = try root.parent(of: bytes),
            let found = try parent.status(of: name)
        else { return }
        guard found.st_mode & S_IFMT == S_IFREG else {
            throw failure(path, "it is no regular file")
        }
        guard let file = parent.open(name, O_RDONLY | O_NONBLOCK) else {
            throw PointError.system("open", bytes, errno)
        }
        let size = Int(found.st_size)
        guard size <= SnapshotLimits.flagsBytesMax else {
            throw failure(path, "it is larger than \(SnapshotLimits.flagsBytesMax) bytes")
        }
        let text = try PackFormat.part(file, 0, size, bytes)
        let document: Document
        do {
            document = try WireJSON.decode(Document.self, from: text)
        } catch {
            throw failure(
                path,
                "it is no JSON object with an object flags, whose flags have state and variants")
        }
        for (name, flag) in document.flags.sorted(by: { $0.key < $1.key }) {
            guard ["ENABLED", "DISABLED"].contains(flag.state) else {
                throw failure(path, "the state of flag \(name) is neither ENABLED nor DISABLED")
            }
            guard !flag.variants.isEmpty else {
                throw failure(path, "flag \(name) has no variants")
            }
            if let variant = flag.defaultVariant, flag.variants[variant] == nil {
                throw failure(path, "the default of flag \(name) is none of its variants")
            }
        }
    }

    private static func failure(_ path: String, _ cause: String) -> PointError {
        PointError("capture", path, cause, "correct it first")
    }
}
