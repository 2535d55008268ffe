import FleetWire
import Glibc

/// Where the store itself lies, so that no component holds it: its restore would take away the
/// points that are newer, and the objects that older ones need.
struct StorePlace {
    private let store: [UInt8]
    /// The root of components; empty for `/`.
    private let root: [UInt8]

    init(_ store: StoreFiles, _ root: HostRoot) throws {
        let directory = try store.open("", O_RDONLY | O_DIRECTORY)
        self.store = try Self.path(of: directory)
        let top = try Self.path(of: root.directory)
        self.root = top == [UInt8(ascii: "/")] ? [] : top
    }

    /// Throws `PointError` if one of the component's paths lies in the store or holds it without
    /// excluding it. `attempt` is what is refused.
    func refuse(_ spec: ComponentSpec, _ attempt: String = "capture") throws {
        let paths: [String]
        switch spec.driver {
        case .files(let named, _, _), .config(let named, _): paths = named
        case .flags(let path), .sqlite(let path): paths = [path]
        case .btrfs(let component): paths = [component.path]
        case .service, .package, .postgres, .command, .unknown: return
        }
        var excludes: [String] = []
        if case .files(_, let exclude, _) = spec.driver { excludes = exclude }
        for path in paths {
            let whole = root + (try HostRoot.whole(Array(path.utf8)))
            let isWithin = whole == store || whole.isBelow(store)
            guard isWithin || holdsStore(whole, ExcludePatterns(excludes)) else { continue }
            throw PointError(
                attempt, "component \(spec.name)",
                "\(path) \(isWithin ? "lies in" : "holds") the store of rollback points, "
                    + "\(printable(store)), which a restore would change",
                isWithin
                    ? "name another path"
                    : "exclude it, name narrower paths, or keep the agent's state elsewhere")
        }
    }

    private func holdsStore(_ path: [UInt8], _ excludes: ExcludePatterns) -> Bool {
        guard store.isBelow(path) else { return false }
        // What is excluded stays as it is, with all that it holds.
        let relative = store[(path.count + 1)...]
        let ends = relative.indices.filter { relative[$0] == UInt8(ascii: "/") } + [store.count]
        return !ends.contains { excludes.excludes(Array(relative[..<$0]), isDirectory: true) }
    }

    /// The real path, whatever links the operator made on the way.
    ///
    /// It only looks at `/proc`, so its call is that of production even while a test watches.
    private static func path(of directory: Descriptor) throws -> [UInt8] {
        let link = "/proc/self/fd/\(directory.raw)"
        var room = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = withExtendedLifetime(directory) {
            FileCalls.system.readlinkat(AT_FDCWD, link, &room, room.count)
        }
        guard count > 0 else { throw PointError.system("read the link", Array(link.utf8), errno) }
        return room.prefix(count).map { UInt8(bitPattern: $0) }
    }
}
