import FleetWire
import Foundation
import Logging

/// A private directory that goes when the test ends.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = "/tmp/belay-coordinator-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700])
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

func wallClock() -> Timestamp {
    Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
}

/// Waits until `condition` holds; throws after thirty seconds, which only a stuck or very busy
/// machine reaches.
func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(30)
    while ContinuousClock.now < deadline {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    throw Late(what: what)
}

struct Late: Error { let what: String }

let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
