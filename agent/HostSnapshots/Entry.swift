/// One thing that a component holds; the format's section "Catalogue".
struct Entry: Equatable {
    enum Kind: UInt8 {
        case absent, directory, regular, symbolicLink, fifo, characterDevice, blockDevice, socket
        case hardLink, database, service, stream, package, subvolume

        /// True for what `TreeWalker` and `TreeRestorer` handle; a driver handles the others.
        var isOfTree: Bool { rawValue < Kind.service.rawValue }
    }
    struct Attribute: Equatable {
        var name: [UInt8]
        var value: [UInt8]
    }

    /// The file had holes: blocks of zeros are left out when it is written again.
    static let sparse: UInt8 = 1
    /// Another file system is mounted here; what it holds is not captured.
    static let mountPoint: UInt8 = 2

    var kind: Kind
    /// Not part of the state: how a thing is stored, not what it is.
    var flags: UInt8 = 0
    /// Absolute, below the root.
    var path: [UInt8]
    var mode: UInt32 = 0
    var owner: UInt32 = 0
    var group: UInt32 = 0
    var seconds: Int64 = 0
    var nanoseconds: UInt32 = 0
    var size: UInt64 = 0
    var device: UInt64 = 0
    /// A link's target, a hard link's first path, a database's version, a service's state.
    var target: [UInt8] = []
    var attributes: [Attribute] = []
    var chunks: [ObjectID] = []

    /// The canonical bytes, without their length.
    func encoded() -> [UInt8] {
        var bytes: [UInt8] = [kind.rawValue, flags]
        bytes.reserveCapacity(96 + path.count + chunks.count * 32)
        bytes.append(number: mode)
        bytes.append(number: owner)
        bytes.append(number: group)
        bytes.append(number: seconds)
        bytes.append(number: nanoseconds)
        bytes.append(number: size)
        bytes.append(number: device)
        bytes.append(counted: path)
        bytes.append(counted: target)
        bytes.append(number: UInt32(attributes.count))
        for attribute in attributes {
            bytes.append(counted: attribute.name)
            bytes.append(counted: attribute.value)
        }
        bytes.append(number: UInt32(chunks.count))
        for chunk in chunks { bytes.append(contentsOf: chunk.bytes) }
        return bytes
    }

    init(kind: Kind, path: [UInt8]) {
        self.kind = kind
        self.path = path
    }

    init(decoding bytes: ArraySlice<UInt8>) throws {
        var reader = ByteReader(bytes)
        guard let kind = Kind(rawValue: try reader.number(UInt8.self)) else {
            throw PointError.damaged("an entry of a catalogue", "its kind is unknown")
        }
        self.kind = kind
        flags = try reader.number(UInt8.self)
        mode = try reader.number(UInt32.self)
        owner = try reader.number(UInt32.self)
        group = try reader.number(UInt32.self)
        seconds = try reader.number(Int64.self)
        nanoseconds = try reader.number(UInt32.self)
        size = try reader.number(UInt64.self)
        device = try reader.number(UInt64.self)
        path = try reader.counted()
        target = try reader.counted()
        for _ in 0..<(try reader.number(UInt32.self)) {
            attributes.append(
                Attribute(name: try reader.counted(), value: try reader.counted()))
        }
        for _ in 0..<(try reader.number(UInt32.self)) { chunks.append(try reader.objectID()) }
        guard reader.isAtEnd else {
            throw PointError.damaged("an entry of a catalogue", "something follows its end")
        }
    }

    /// What of it counts in the state of a component (the format's section "Catalogue"): nothing
    /// of a socket, no flags, and of what a driver keeps not the bytes that it kept.
    var stateForm: Entry? {
        if kind == .socket { return nil }
        var entry = self
        entry.flags = 0
        if !kind.isOfTree {
            entry.size = 0
            entry.chunks = []
            entry.attributes = []
        }
        return entry
    }

    /// True if the state of the two is the same.
    func isSame(as other: Entry) -> Bool {
        var left = self
        left.flags = other.flags
        return left == other
    }

    /// True if content is the same and only metadata may differ.
    func hasSameContent(as other: Entry) -> Bool {
        kind == other.kind && size == other.size && chunks == other.chunks
            && target == other.target && device == other.device
    }

    /// `mode owner size path`, for people.
    var line: String {
        let octal = String(mode, radix: 8)
        let padded = String(repeating: "0", count: max(0, 4 - octal.count)) + octal
        var text = "\(Self.letters[Int(kind.rawValue)])\(padded) \(owner):\(group) \(size) "
        text += printable(path)
        if !target.isEmpty { text += " -> " + printable(target) }
        return text
    }

    private static let letters = [
        "?", "d", "-", "l", "p", "c", "b", "s", "h", "q", "S", "m", "k", "v",
    ]
}

/// A component's entries as a stream of objects, and the digest of their state.
enum Catalogue {
    /// The bytes that are cut into objects: each entry with its length before it.
    static func encode(_ entries: [Entry]) -> [UInt8] {
        var bytes: [UInt8] = []
        for entry in entries { bytes.append(counted: entry.encoded()) }
        return bytes
    }

    static func decode(_ bytes: [UInt8]) throws -> [Entry] {
        var reader = ByteReader(bytes[...])
        var entries: [Entry] = []
        while !reader.isAtEnd {
            entries.append(try Entry(decoding: reader.take(Int(reader.number(UInt32.self)))))
        }
        return entries
    }

    /// Over all entries but sockets, with their flags set to 0.
    static func state(of entries: [Entry]) -> ObjectID {
        ObjectID(hashing: encode(entries.compactMap(\.stateForm)))
    }
}
