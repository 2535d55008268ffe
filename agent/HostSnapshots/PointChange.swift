package import FleetWire

/// One path that differs between two states of a component.
package struct PointChange: Sendable, Hashable {
    /// What becomes of a path on the way from the first state to the second.
    package enum Change: String, Sendable, Hashable {
        /// It is not in the first state.
        case added
        /// It is not in the second state.
        case removed
        /// Its content differs: bytes, a link's target, a device's number, a service's state.
        case content
        /// Only owner, mode, time of modification or attributes differ.
        case metadata
        /// It is another kind of thing.
        case kind

        /// The change on the way back.
        var reversed: Change {
            switch self {
            case .added: .removed
            case .removed: .added
            case .content, .metadata, .kind: self
            }
        }
    }

    /// The component that holds the path.
    package var component: ComponentName
    /// As `show` prints it: bytes outside printable ASCII and `%` as `%XX`.
    package var path: String
    /// What becomes of it.
    package var change: Change
    /// What differs, for people: `mode 0644 -> 0600, owner 0:0 -> 5:5`.
    package var detail: String

    /// A change of these fields.
    package init(component: ComponentName, path: String, change: Change, detail: String) {
        self.component = component
        self.path = path
        self.change = change
        self.detail = detail
    }
}

extension PointChange {
    /// The change of one path from what it was to what it becomes; at least one is there.
    init(_ component: ComponentName, _ change: Change, from old: Entry?, to new: Entry?) {
        self.init(
            component: component, path: printable((new ?? old)?.path ?? []), change: change,
            detail: Self.detail(old, new))
    }

    private static func detail(_ old: Entry?, _ new: Entry?) -> String {
        guard let old, let new else {
            guard let one = old ?? new else { return "" }
            return one.kind == .regular || one.kind == .database
                ? "\(one.kind.word), \(one.size) bytes" : one.kind.word
        }
        if old.kind != new.kind { return "\(old.kind.word) -> \(new.kind.word)" }
        var parts: [String] = []
        func compare(_ what: String, _ one: String, _ two: String) {
            if one != two { parts.append("\(what) \(one) -> \(two)") }
        }
        compare("target", printable(old.target), printable(new.target))
        compare("device", "\(old.device)", "\(new.device)")
        compare("size", "\(old.size)", "\(new.size)")
        if old.chunks != new.chunks, old.size == new.size { parts.append("content") }
        compare("mode", octal(old.mode), octal(new.mode))
        compare("owner", "\(old.owner):\(old.group)", "\(new.owner):\(new.group)")
        compare("time", time(old), time(new))
        if old.attributes != new.attributes { parts.append("attributes") }
        return parts.joined(separator: ", ")
    }

    private static func octal(_ mode: UInt32) -> String {
        let text = String(mode, radix: 8)
        return String(repeating: "0", count: max(0, 4 - text.count)) + text
    }

    private static func time(_ entry: Entry) -> String {
        UTCTime.text(seconds: entry.seconds, nanoseconds: entry.nanoseconds)
    }
}

extension Entry.Kind {
    /// One or two words for people.
    var word: String {
        switch self {
        case .absent: "absent"
        case .directory: "directory"
        case .regular: "file"
        case .symbolicLink: "symbolic link"
        case .fifo: "FIFO"
        case .characterDevice: "character device"
        case .blockDevice: "block device"
        case .socket: "socket"
        case .hardLink: "hard link"
        case .database: "database"
        case .service: "service"
        case .stream: "stream"
        case .package: "package"
        case .subvolume: "subvolume"
        }
    }
}
