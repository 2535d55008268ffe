import FleetWire
import Foundation
import StateStore

/// A private directory that goes when the test ends.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = "/tmp/belay-store-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700])
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// The implementations that the conformance suite holds.
enum Store: String, CaseIterable, Sendable {
    case memory, sqlite

    func open(in scratch: Scratch) throws -> any StateStore {
        switch self {
        case .memory: MemoryStateStore()
        case .sqlite: try SQLiteStateStore(directory: scratch.path)
        }
    }
}

func record(_ number: Int, stream: String = "fleet") -> NewRecord {
    NewRecord(
        at: Timestamp(milliseconds: Int64(number)), actor: "operator:a", stream: stream,
        kind: "kind", payload: Array("{\"n\":\(number)}".utf8))
}
