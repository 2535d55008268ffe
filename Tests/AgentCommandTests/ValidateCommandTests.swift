import AgentRuntime
import ArgumentParser
import FleetWire
import Foundation
import Testing

@testable import belay_agent

/// `belay-agent validate` below a folder of its own, with no agent and no coordinator.
@Suite("belay-agent validate")
struct ValidateCommandTests {
    private final class Folder {
        let path = NSTemporaryDirectory() + "/belay-validate-\(UUID().uuidString)"
        init() throws {
            try FileManager.default.createDirectory(
                atPath: path + "/proc", withIntermediateDirectories: true)
            try write("/proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 500 kB\n")
        }
        deinit { try? FileManager.default.removeItem(atPath: path) }
        func write(_ name: String, _ text: String) throws {
            try text.write(toFile: path + name, atomically: true, encoding: .utf8)
        }
    }

    /// The exit code of `validate` with these arguments.
    private func code(_ folder: Folder, _ arguments: [String]) async throws -> Int32 {
        let command = try ValidateCommand.parse(["--root", folder.path] + arguments)
        do {
            try await command.run()
            return 0
        } catch let error as ExitCode {
            return error.rawValue
        } catch let error as AgentError {
            return error.exitCode
        }
    }

    private static let table: [(String, Int32)] = [
        (#"[{"name": "a", "memory_available": {}}]"#, 0),
        (#"[{"name": "a", "memory_available": {"percent_warn": 60}}]"#, 0),
        (#"[{"name": "a", "memory_available": {"percent_min": "60%"}}]"#, 6),
        (
            #"[{"name": "a", "memory_available": {}}, {"name": "b", "level": "warning", "#
                + #""memory_available": {"percent_min": "60%"}}]"#, 0
        ),
        (#"[{"name": "a", "permissions": {"path": "/proc", "owner": "nobody9"}}]"#, 7),
        (
            #"[{"name": "a", "on_unknown": "warn", "#
                + #""permissions": {"path": "/proc", "owner": "nobody9"}}]"#, 7
        ),
        (
            #"{"variables": {"p": "/proc"}, "checks": [{"name": "a", "run": {"argv": ["true"]}}]}"#,
            0
        ),
        ("[]", 3), ("{}", 3), ("no JSON", 3), (#"[{"name": "a", "tcp": {}}]"#, 3),
    ]

    @Test(
        "the exit code says what was found",
        arguments: Self.table)
    func exitCodes(json: String, expected: Int32) async throws {
        let folder = try Folder()
        try folder.write("/checks.json", json)
        #expect(try await code(folder, ["--checks", folder.path + "/checks.json"]) == expected)
    }

    @Test("checks of a plan's stages run, and can be chosen by name")
    func plans() async throws {
        let folder = try Folder()
        try folder.write(
            "/plan.json",
            #"{"belay": 1, "stages": {"validation": {"checks": [{"name": "a", "#
                + #""memory_available": {"percent_min": 60}}]}, "verification": {"checks": ["#
                + #"{"name": "a", "memory_available": {}}]}}}"#)
        let plan = ["--plan", folder.path + "/plan.json"]
        #expect(try await code(folder, plan) == 6)
        #expect(try await code(folder, plan + ["verification/a"]) == 0)
        #expect(try await code(folder, plan + ["b"]) == 13)
    }

    @Test("validators by name need no file, and take the host's thresholds")
    func names() async throws {
        let folder = try Folder()
        #expect(try await code(folder, ["memory_available"]) == 0)
        #expect(try await code(folder, ["tcp"]) == 5)
        #expect(try await code(folder, ["tpc"]) == 13)
        try FileManager.default.createDirectory(
            atPath: folder.path + "/etc/belay", withIntermediateDirectories: true)
        let file = "/etc/belay/belay-agent.json"
        try folder.write(file, #"{"validators": {"memory_available": {"percent_min": 60}}}"#)
        #expect(try await code(folder, ["memory_available"]) == 6)
        try folder.write(file, #"{"validators": {"memory_available": {"percnt_min": 60}}}"#)
        #expect(try await code(folder, ["memory_available"]) == 3)
    }
}
