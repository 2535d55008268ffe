import CLinux
import Glibc

/// Gives owner, attributes, mode and time of an entry to a name. Changing an owner clears setuid and
/// capabilities, so the owner comes first; the time comes last.
struct MetadataWriter {
    private let beforeChange: RestoreHook?

    init(_ beforeChange: RestoreHook?) { self.beforeChange = beforeChange }

    func apply(_ entry: Entry, _ parent: Descriptor, _ name: [UInt8]) throws {
        try applyOwner(entry, parent, name)
        try applyAttributes(entry, parent, name)
        try applyMode(entry, parent, name)
        var times = Self.times(entry)
        try change("set the time of", entry) {
            withPath(name) { parent.calls.utimensat(parent.raw, $0, &times) }
        }
    }

    /// Gives them to an open file or directory that was just made, with as few calls as that takes.
    /// True if it was seen to have no extended attribute, as it should.
    @discardableResult
    func apply(_ entry: Entry, to file: Descriptor) throws -> Bool {
        var isBare = false
        try applyOwnership(entry, to: file) { isBare = try applyAttributes(entry, to: file) }
        var times = Self.times(entry)
        try change("set the time of", entry) { file.calls.futimens(file.raw, &times) }
        return isBare
    }

    /// Of a database only owner and mode count.
    func applyOwnership(
        _ entry: Entry, to file: Descriptor, between: () throws -> Void = {}
    ) throws {
        let found = try file.status()
        let isOwned = found.st_uid == entry.owner && found.st_gid == entry.group
        if !isOwned {
            try change("set the owner of", entry) {
                file.calls.fchown(file.raw, entry.owner, entry.group)
            }
        }
        try between()
        // What changes the owner may take bits of the mode away, and so may a list of access.
        if isOwned, UInt32(found.st_mode & 0o7777) == entry.mode, entry.attributes.isEmpty {
            return
        }
        try change("set the mode of", entry) { file.calls.fchmod(file.raw, mode_t(entry.mode)) }
    }

    /// True if there are none, and should be none.
    private func applyAttributes(_ entry: Entry, to file: Descriptor) throws -> Bool {
        let present = try Attributes.read(file)
        guard present != entry.attributes else { return present.isEmpty }
        // A folder's default list gives new files attributes that the captured one had not.
        for attribute in present
        where !entry.attributes.contains(where: { $0.name == attribute.name }) {
            try beforeChange?("remove an attribute of \(printable(entry.path))")
            try Attributes.remove(file, attribute.name)
        }
        for attribute in Self.inOrder(entry.attributes) where !present.contains(attribute) {
            try beforeChange?("set an attribute of \(printable(entry.path))")
            try Attributes.write(file, attribute)
        }
        return false
    }

    /// Access lists come last: they may take from the owner the right to set the others.
    private static func inOrder(_ attributes: [Entry.Attribute]) -> [Entry.Attribute] {
        let lists = Array("system.posix_acl_".utf8)
        return attributes.filter { !$0.name.starts(with: lists) }
            + attributes.filter { $0.name.starts(with: lists) }
    }

    private func applyOwner(_ entry: Entry, _ parent: Descriptor, _ name: [UInt8]) throws {
        guard let found = try parent.status(of: name) else { return }
        guard found.st_uid != entry.owner || found.st_gid != entry.group else { return }
        try change("set the owner of", entry) {
            withPath(name) {
                parent.calls.fchownat(parent.raw, $0, entry.owner, entry.group)
            }
        }
    }

    private func applyAttributes(_ entry: Entry, _ parent: Descriptor, _ name: [UInt8]) throws {
        let present = try Attributes.read(parent, name)
        guard present != entry.attributes else { return }
        if geteuid() != 0, let found = try parent.status(of: name), found.st_mode & 0o200 == 0 {
            try change("open up", entry) {
                withPath(name) {
                    parent.calls.fchmodat(parent.raw, $0, found.st_mode & 0o7777 | 0o200)
                }
            }
        }
        for attribute in present
        where !entry.attributes.contains(where: { $0.name == attribute.name }) {
            try beforeChange?("remove an attribute of \(printable(entry.path))")
            try Attributes.remove(parent, name, attribute.name)
        }
        for attribute in Self.inOrder(entry.attributes) where !present.contains(attribute) {
            try beforeChange?("set an attribute of \(printable(entry.path))")
            try Attributes.write(parent, name, attribute)
        }
    }

    private func applyMode(_ entry: Entry, _ parent: Descriptor, _ name: [UInt8]) throws {
        guard entry.kind != .symbolicLink, let found = try parent.status(of: name),
            UInt32(found.st_mode & 0o7777) != entry.mode
        else { return }
        try change("set the mode of", entry) {
            withPath(name) {
                parent.calls.fchmodat(parent.raw, $0, mode_t(entry.mode))
            }
        }
    }

    private func change(_ what: String, _ entry: Entry, _ body: () -> Int32) throws {
        try beforeChange?("\(what) \(printable(entry.path))")
        guard body() == 0 else { throw PointError.system(what, entry.path, errno) }
    }

    private static func times(_ entry: Entry) -> [timespec] {
        [
            timespec(tv_sec: 0, tv_nsec: omitted),
            timespec(tv_sec: Int(entry.seconds), tv_nsec: Int(entry.nanoseconds)),
        ]
    }

    /// UTIME_OMIT of Linux' stat.h, which Swift's Glibc module leaves out.
    static let omitted = (1 << 30) - 2
}
