import FleetWire
import Foundation
import Glibc
import Testing

@testable import HostSnapshots

/// What tests of the store's own life share: trees of noise, points of them, damage by hand.
extension Scratch {
    var packs: [String] {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: path + "/points/packs")
                .filter { $0.hasSuffix(".pack") }.sorted()
        }
    }

    func packPath(_ name: String) -> String { path + "/points/packs/" + name }

    /// Writes `count` files of noise below `/tree`, the same for the same `seed`.
    func noise(_ seed: UInt64, files count: Int = 4, bytes: Int = 3000) throws {
        mkdir(root + "/tree", 0o755)
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        for index in 0..<count {
            let content = (0..<bytes).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return UInt8(truncatingIfNeeded: state >> 33)
            }
            try Data(content).write(to: URL(fileURLWithPath: root + "/tree/\(index)"))
        }
    }

    /// The store, captured into by one thread, so that a point is one pack.
    func alone() throws -> PointStore {
        try PointStore(
            directory: path + "/points", root: root, services: services,
            calls: FileCalls(StoppingCalls(after: .max)))
    }

    /// Turns encryption on with a new key, which is kept beside the store.
    @discardableResult
    func encrypt(_ name: String = "key", settings: String = "") throws -> String {
        let key = path + "/" + name
        let digits = (0..<64).map { _ in String("0123456789abcdef".randomElement() ?? "0") }
        try Data((digits.joined() + "\n").utf8).write(to: URL(fileURLWithPath: key))
        chmod(key, 0o600)
        try set("{\"key_file\": \"\(key)\"\(settings)}")
        return key
    }

    /// Turns encryption on with the same key each time.
    func seal() throws {
        try Data((0..<32).map { UInt8($0) }).write(to: URL(fileURLWithPath: path + "/key"))
        chmod(path + "/key", 0o600)
        try set("{\"key_file\": \"\(path)/key\"}")
    }

    func set(_ settings: String) throws {
        mkdir(path + "/points", 0o700)
        try Data(settings.utf8).write(to: URL(fileURLWithPath: path + "/points/settings.json"))
    }

    func flip(_ path: String, _ offset: Int) throws {
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        bytes[offset] ^= 0x5A
        try bytes.write(to: URL(fileURLWithPath: path))
    }

    /// All bytes of the store, to look for what must not be there.
    func storeBytes() throws -> Data {
        var all = Data()
        let walk = FileManager.default.enumerator(atPath: path + "/points")
        while let name = walk?.nextObject() as? String {
            if let bytes = try? Data(contentsOf: URL(fileURLWithPath: path + "/points/" + name)) {
                all += Data(name.utf8) + bytes
            }
        }
        return all
    }
}

/// A point of `/tree`, so many seconds after the first.
@discardableResult
func point(
    _ store: PointStore, _ id: String, at seconds: Int64 = 0, name: String? = nil,
    rollout: String? = nil
) throws -> PointID {
    try store.create(
        id: PointID(unchecked: id), at: Timestamp(milliseconds: seconds * 1000), name: name,
        reason: "test", rollout: rollout.map { RolloutID(unchecked: $0) },
        components: [try files("/tree")]
    ).id
}

extension PointStore {
    /// The ids of all points, as text.
    func names() throws -> [String] { try list().map(\.id.rawValue) }

    func prune(
        _ policy: PointRetention?, inUse: [String] = [], removing: [String] = [],
        at seconds: Int64 = 0, dryRun: Bool = false
    ) throws -> PruneSummary {
        try prune(
            keeping: policy, inUse: Set(inUse.map { PointID(unchecked: $0) }),
            removing: Set(removing.map { PointID(unchecked: $0) }),
            now: Timestamp(milliseconds: seconds * 1000), dryRun: dryRun)
    }
}

/// What `body` fails with; empty if it does not.
func failure(_ body: () throws -> Void) -> String {
    do {
        try body()
        return ""
    } catch {
        return "\(error)"
    }
}
