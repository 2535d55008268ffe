import CLinux
import Glibc

/// Extended attributes of `name` in a directory, links not followed, sorted by name.
enum Attributes {
    private static func path(_ parent: Descriptor, _ name: [UInt8]) -> [UInt8] {
        Array("/proc/self/fd/\(parent.raw)/".utf8) + name
    }

    static func read(_ parent: Descriptor, _ name: [UInt8]) throws -> [Entry.Attribute] {
        try withPath(path(parent, name)) { path in
            guard let list = try grow({ parent.calls.llistxattr(path, $0, $1) }), !list.isEmpty
            else { return [] }
            let names = list.split(separator: 0).map(Array.init)
            return try names.sorted { $0.lexicographicallyPrecedes($1) }.compactMap { key in
                try withPath(key) { cKey in
                    try grow({ parent.calls.lgetxattr(path, cKey, $0, $1) }).map {
                        Entry.Attribute(name: key, value: $0)
                    }
                }
            }
        }
    }

    /// The same for a name that stands as a C string; `whole` is for errors.
    static func read(
        _ parent: Descriptor, _ name: UnsafePointer<CChar>, _ whole: [UInt8]
    ) throws -> [Entry.Attribute] {
        do {
            return try read(
                parent, Array(UnsafeRawBufferPointer(start: name, count: strlen(name))))
        } catch let error as PointError {
            throw PointError(error.attempt, printable(whole), error.cause, error.remedy)
        }
    }

    /// Those of an open file.
    static func read(_ file: Descriptor) throws -> [Entry.Attribute] {
        guard let list = try grow({ file.calls.flistxattr(file.raw, $0, $1) }), !list.isEmpty else {
            return []
        }
        let names = list.split(separator: 0).map(Array.init)
        return try names.sorted { $0.lexicographicallyPrecedes($1) }.compactMap { key in
            try withPath(key) { cKey in
                try grow({ file.calls.fgetxattr(file.raw, cKey, $0, $1) }).map {
                    Entry.Attribute(name: key, value: $0)
                }
            }
        }
    }

    static func write(_ file: Descriptor, _ attribute: Entry.Attribute) throws {
        let done = withPath(attribute.name) {
            file.calls.fsetxattr(file.raw, $0, attribute.value, attribute.value.count)
        }
        guard done == 0 else {
            throw PointError.system(
                "set the attribute", attribute.name, errno)
        }
    }

    static func remove(_ file: Descriptor, _ key: [UInt8]) throws {
        guard withPath(key, { file.calls.fremovexattr(file.raw, $0) }) == 0 || errno == ENODATA
        else {
            throw PointError.system("remove the attribute", key, errno)
        }
    }

    static func write(_ parent: Descriptor, _ name: [UInt8], _ attribute: Entry.Attribute) throws {
        let done = withPath(path(parent, name)) { path in
            withPath(attribute.name) {
                parent.calls.lsetxattr(path, $0, attribute.value, attribute.value.count)
            }
        }
        guard done == 0 else {
            throw PointError.system(
                "set the attribute \(printable(attribute.name)) of", name, errno)
        }
    }

    static func remove(_ parent: Descriptor, _ name: [UInt8], _ key: [UInt8]) throws {
        let done = withPath(path(parent, name)) { path in
            withPath(key) { parent.calls.lremovexattr(path, $0) }
        }
        guard done == 0 || errno == ENODATA else {
            throw PointError.system("remove the attribute \(printable(key)) of", name, errno)
        }
    }

    /// Calls `body` until its answer fits. Nil if the file system has no attributes.
    private static func grow(
        _ body: (UnsafeMutablePointer<CChar>?, Int) -> Int
    ) throws -> [UInt8]? {
        var size = body(nil, 0)
        while size > 0 {
            var bytes = [CChar](repeating: 0, count: size)
            let count = body(&bytes, size)
            if count >= 0 { return bytes.prefix(count).map { UInt8(bitPattern: $0) } }
            guard errno == ERANGE else { break }
            size = body(nil, 0)
        }
        if size == 0 { return [] }
        if errno == ENOTSUP || errno == ENODATA { return nil }
        throw PointError.system("read the attributes of", [], errno)
    }
}
