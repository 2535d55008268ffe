import FleetWire
import Foundation
import Glibc
import Testing

@testable import HostSnapshots

@Suite struct EncryptionTests {
    private static let secret = "hunter2-is-the-password"

    @Test func nothingOfASealedPointCanBeReadInTheStoreAndItComesBack() throws {
        let scratch = try Scratch()
        try scratch.encrypt()
        try scratch.noise(1)
        try scratch.write("/tree/password-file", Self.secret)
        try scratch.write("/tree/text", String(repeating: "compressible ", count: 1000))
        let store = try scratch.store()
        let id = try point(store, "p1", name: "before-the-change")
        let bytes = try scratch.storeBytes()
        let text = try Data(contentsOf: URL(fileURLWithPath: scratch.root + "/tree/text"))
        for plain in [
            Data(Self.secret.utf8), Data("password-file".utf8), Data("before-the-change".utf8),
            Data(ObjectID(hashing: Array(Self.secret.utf8)).bytes),
            Data(ObjectID(hashing: Array(text)).bytes),
        ] {
            #expect(bytes.range(of: plain) == nil)
        }
        let before = try scratch.view("/tree")
        try scratch.write("/tree/password-file", "changed")
        unlink(scratch.root + "/tree/0")
        #expect(try store.verify(id, deep: true) == [])
        #expect(try store.find("before-the-change") == id)
        _ = try store.restore(point: id)
        #expect(try scratch.view("/tree") == before)
        #expect(try store.show(id).entries.contains { $0.hasSuffix("/tree/password-file") })
    }

    @Test func withoutTheKeyOrWithAnotherOneThatIsWhatIsSaid() throws {
        let scratch = try Scratch()
        let key = try scratch.encrypt()
        try scratch.noise(1)
        let id = try point(try scratch.store(), "p1")
        rename(key, key + ".away")
        try expect(scratch, id, says: "the key file")
        try scratch.encrypt("other")
        try expect(scratch, id, says: "it is sealed with key")
        let pruned = try scratch.store().prune(PointRetention(count: 1))
        #expect(pruned.deferred.count == 1 && pruned.removed.isEmpty)
        try scratch.set("{}")
        try expect(scratch, id, says: "no key_file is set")
        #expect(try scratch.store().scrub(pace: nil).findings.count == 1)
        rename(key + ".away", key)
        try scratch.set("{\"key_file\": \"\(key)\"}")
        #expect(try scratch.store().verify(id, deep: true) == [])
    }

    private func expect(_ scratch: Scratch, _ id: PointID, says what: String) throws {
        let store = try scratch.store()
        #expect(try store.list().first?.reason.hasPrefix("SEALED: ") == true)
        for body in [
            { _ = try store.verify(id) }, { _ = try store.show(id) },
            { _ = try store.restore(point: id) },
        ] {
            do {
                try body()
                Issue.record("it was opened")
            } catch let error as PointError {
                #expect("\(error)".contains(what), "\(error)")
                #expect(!error.isDamage)
            }
        }
    }

    @Test func keyFilesThatAreNotSafeAreRefusedAndNothingIsCapturedInTheClear() throws {
        let scratch = try Scratch()
        let key = try scratch.encrypt()
        try scratch.noise(1)
        let store = try scratch.store()
        let good = try Data(contentsOf: URL(fileURLWithPath: key))
        func refused(_ why: String) {
            let text = failure { _ = try point(store, "p1") }
            #expect(text.contains(why), "\(text)")
            #expect((try? scratch.packs) == [])
        }
        chmod(key, 0o640)
        refused("others may read")
        chmod(key, 0o600)
        for bad in [good.prefix(63), good + good, Data("x".utf8) + good.dropFirst(), Data()] {
            try bad.write(to: URL(fileURLWithPath: key))
            refused(bad.count > 66 || bad.count < 32 ? "bytes" : "neither 32 bytes")
        }
        unlink(key)
        refused("No such file")
        symlink(scratch.path + "/elsewhere", key)
        refused("symbolic link")
        unlink(key)
        mkfifo(key, 0o600)
        refused("not a regular file")
        try scratch.set("{\"key_file\": \"\(store.directory)/key\"}")
        refused("in the store")
        try scratch.set("{\"key_fil\": \"/x\"}")
        refused("did you mean key_file?")
        unlink(key)
        try Data(repeating: 7, count: 32).write(to: URL(fileURLWithPath: key))
        chmod(key, 0o600)
        try scratch.set("{\"key_file\": \"\(key)\"}")
        #expect(try store.verify(try point(store, "p1"), deep: true) == [])
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give a file away"))
    func aKeyFileOfSomebodyElseIsRefused() throws {
        let scratch = try Scratch()
        let key = try scratch.encrypt()
        try scratch.noise(1)
        chown(key, 12345, 0)
        let text = failure { _ = try point(try scratch.store(), "p1") }
        #expect(text.contains("it belongs to user 12345"), "\(text)")
    }

    @Test func turningItOnSealsNewPointsAndLeavesOldOnesReadableUntilTheyArePruned() throws {
        let scratch = try Scratch()
        try scratch.noise(1)
        try scratch.write("/tree/secret", Self.secret)
        let store = try scratch.store()
        let old = try point(store, "p1", at: 1)
        // The index must not make the new point lean on what stands there in the clear.
        try point(store, "p2", at: 2)
        try scratch.encrypt()
        let new = try point(store, "p3", at: 3)
        for id in [old, new] { #expect(try store.verify(id, deep: true) == []) }
        let packs = Set(try scratch.packs)
        _ = try store.prune(PointRetention(count: 1))
        #expect(try Set(scratch.packs).isStrictSubset(of: packs))
        #expect(try store.verify(new, deep: true) == [])
        let hash = Data(ObjectID(hashing: Array(Self.secret.utf8)).bytes)
        #expect(try scratch.storeBytes().range(of: hash) == nil)
        let before = try scratch.view("/tree")
        try scratch.write("/tree/secret", "changed")
        _ = try store.restore(point: new)
        #expect(try scratch.view("/tree") == before)
    }

    @Test func noRecordCanBeMovedUnderAnotherNameOrChangedAndNoNonceComesTwice() throws {
        let codec = ObjectCodec(key: try StoreKey(Array(0..<32), path: "/key"))
        let raw = Array("some bytes that are sealed".utf8)
        let id = ObjectID(hashing: raw)
        func seal() throws -> (PackRecord, [UInt8]) {
            var buffer: [UInt8] = []
            let record = try raw.withUnsafeBytes {
                try codec.append(id, codec: .raw, raw: raw.count, $0, to: &buffer, at: 0)
            }
            return (record, Array(buffer[41...]))
        }
        let (record, stored) = try seal()
        #expect(try codec.open(record, stored) == raw)
        #expect(record.id != id && record.id == codec.name(of: id))
        #expect(try seal().1 != stored)
        for index in stored.indices {
            var other = stored
            other[index] ^= 1
            if index < StoreKey.identifierBytes {
                // The tag says whose it is.
                #expect(try codec.open(record, other) == raw)
                other[stored.count - 1] ^= 1
                let text = failure { _ = try codec.open(record, other) }
                #expect(text.contains("it is sealed with key"), "\(text)")
            } else {
                let text = failure { _ = try codec.open(record, other) }
                #expect(text.contains("its seal is broken"), "\(text)")
            }
        }
        var moved = record
        moved.id = ObjectID(hashing: [1])
        #expect(throws: PointError.self) { try codec.open(moved, stored) }
        #expect(throws: PointError.self) { try ObjectCodec.plain.open(record, stored) }
        let protected = try codec.protect(raw, as: "point p1")
        #expect(try codec.reveal(protected, as: "point p1") == raw)
        #expect(throws: PointError.self) { try codec.reveal(protected, as: "point p2") }
        for count in 0..<protected.count {
            #expect(throws: PointError.self) {
                try codec.reveal(Array(protected.prefix(count)), as: "point p1")
            }
        }
    }

    /// Values that another implementation of the format's section gives (Python's hmac and hashlib).
    @Test func namesAndIdentifiersAreThoseOfTheFormat() throws {
        let key = try StoreKey(Array(0..<32), path: "/key")
        #expect(key.name == "7af45fe842d3eec6")
        #expect(
            key.name(of: ObjectID(hashing: [])).digest.hex
                == "24350d8dc67a6c1ae3f6d9d5526b9145a32faa3a28cd654b87a4199670abe08e")
    }
}
