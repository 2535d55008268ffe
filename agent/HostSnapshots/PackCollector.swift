import FleetWire
import Glibc

/// Finds the packs that nobody needs, and copies what is needed out of those that hold little of it;
/// the format's section "Prune", steps 2, 3 and 6.
struct PackCollector {
    private struct Pack {
        var name: String
        var size: UInt64
        var neededBytes: UInt64 = 0
        /// Records that this pack is to keep, of all that hold them.
        var kept: [PackRecord] = []
        var keptBytes: UInt64 = 0
        var clones: Set<ObjectID> = []
        var hasIdleClones = false
    }

    let files: StoreFiles
    let codecs: RecordCodecs
    /// Packs without a sound table, and those that hold damage: they are left as they are.
    private(set) var obstacles: [String] = []
    /// Packs that go.
    private(set) var removed: [String] = []
    /// Bytes of packs that go.
    private(set) var freed: UInt64 = 0
    /// Clone files that a record of a pack that stays names.
    private(set) var clones: Set<ObjectID> = []
    private var rewritten: [Pack] = []

    /// Gives every needed object a pack and finds what goes. Nothing is written yet.
    init(_ files: StoreFiles, _ codecs: RecordCodecs, needed: Set<ObjectID>) throws {
        self.files = files
        self.codecs = codecs
        var needed = needed
        var packs: [Pack] = []
        for name in try ObjectReader.names(files) {
            guard let records = try records(of: name) else { continue }
            var pack = Pack(name: name, size: try files.size(of: "packs/" + name))
            for record in records where needed.contains(record.id) {
                pack.neededBytes += UInt64(record.bytesInPack)
            }
            packs.append(pack)
        }
        packs.sort {
            let left = Double($0.neededBytes) / Double(max(1, $0.size))
            let right = Double($1.neededBytes) / Double(max(1, $1.size))
            return left == right ? $0.name < $1.name : left > right
        }
        for var pack in packs { try decide(&pack, &needed) }
    }

    /// Nil, with a word to the operator, if the table is damaged: what it needs is not known.
    private mutating func records(of name: String) throws -> [PackRecord]? {
        let file = try files.open("packs/" + name, O_RDONLY | O_NOFOLLOW)
        do {
            return try PackFormat.records(of: file, path: files.path(of: "packs/" + name))
        } catch let error as PointError where error.isDamage {
            obstacles.append("pack \(name) is left alone: \(error.cause); repair the store")
            return nil
        }
    }

    private mutating func decide(_ pack: inout Pack, _ needed: inout Set<ObjectID>) throws {
        let file = try files.open("packs/" + pack.name, O_RDONLY | O_NOFOLLOW)
        let path = files.path(of: "packs/" + pack.name)
        for record in try PackFormat.records(of: file, path: path) {
            let isNeeded = needed.remove(record.id) != nil
            if record.codec == .clone {
                try pack.clones.insert(Self.clone(of: record, file, path))
                // While a table names an object a capture believes that it is there.
                if !isNeeded { pack.hasIdleClones = true }
            }
            guard isNeeded else { continue }
            pack.kept.append(record)
            pack.keptBytes += UInt64(record.bytesInPack)
        }
        if pack.kept.isEmpty {
            removed.append(pack.name)
            freed += pack.size
        } else if pack.keptBytes * 2 < pack.size || pack.hasIdleClones {
            rewritten.append(pack)
        } else {
            clones.formUnion(pack.clones)
        }
    }

    /// The clone file that a record names.
    static func clone(
        of record: PackRecord, _ file: Descriptor, _ path: String
    ) throws -> ObjectID {
        try record.check()
        let place = try PackFormat.part(
            file, Int(clamping: record.offset), Int(record.stored), Array(path.utf8))
        return try ClonePlace(place).file
    }

    /// Clone files that no record of a pack that stays names; once `rewrite` is done. None if a pack
    /// is left alone: what it names is not known.
    func idleClones() throws -> [String] {
        guard obstacles.isEmpty else { return [] }
        let kept = Set(clones.map(\.digest.hex))
        return try files.names(in: ClonePlace.folder).filter {
            !$0.hasPrefix(".") && !kept.contains($0)
        }.map { ClonePlace.folder + "/" + $0 }
    }

    /// Bytes that would come free, without what copying takes.
    var freedAtMost: UInt64 {
        rewritten.reduce(freed) { $0 + $1.size - min($1.size, $1.keptBytes) }
    }

    /// Copies what is needed out of packs with little of it; the copies are durable on return, and
    /// the packs are among those that go. One that holds damage is left alone.
    mutating func rewrite() throws {
        let assembler = PackAssembler(files, codecs)
        var done: [Pack] = []
        for pack in rewritten {
            do {
                try copy(pack, to: assembler)
                done.append(pack)
            } catch let error as PointError where error.isDamage {
                obstacles.append("pack \(pack.name) is left alone: \(error); repair the store")
                clones.formUnion(pack.clones)
            }
        }
        try assembler.finish()
        for pack in done where !assembler.made.contains(pack.name) {
            removed.append(pack.name)
            freed += pack.size
        }
        freed -= min(freed, assembler.bytes)
        rewritten = []
    }

    private mutating func copy(_ pack: Pack, to assembler: PackAssembler) throws {
        let file = try files.open("packs/" + pack.name, O_RDONLY | O_NOFOLLOW)
        let path = files.path(of: "packs/" + pack.name)
        for record in pack.kept {
            _ = try codecs.read(record, of: file, files, pack.name)
            let stored = try PackFormat.part(
                file, Int(clamping: record.offset), Int(record.stored), Array(path.utf8))
            if record.codec == .clone { clones.insert(try Self.clone(of: record, file, path)) }
            try assembler.add(record, stored)
        }
    }
}
