import AgentRuntime
import ArgumentParser
import FleetWire
import Foundation
import Glibc
import Testing
import Validation

@testable import belay_agent

/// `belay-agent baseline` below a folder of its own, with no agent and no coordinator.
@Suite("belay-agent baseline")
struct BaselineCommandTests {
    private final class Folder {
        let path = NSTemporaryDirectory() + "/belay-baseline-\(UUID().uuidString)"
        var file: String { path + "/b.json" }
        init() throws {
            try FileManager.default.createDirectory(
                atPath: path + "/etc/belay", withIntermediateDirectories: true)
        }
        deinit { try? FileManager.default.removeItem(atPath: path) }
        func names() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        }
        /// A baseline of a program that took so long, in milliseconds.
        func place(_ argv: [String], took: Double) throws {
            let figures = try #require(
                PerformanceFigures(milliseconds: [took, took], errors: 0))
            let baseline = PerformanceBaseline(
                url: nil, argv: argv, host: "h1", plan: nil, at: Timestamp(milliseconds: 0),
                figures: figures)
            try StateDirectory.write(try WireJSON.encode(baseline), path: file)
        }
        /// A program that sees in which root it runs.
        func program(_ script: String) throws -> String {
            let file = path + "/program"
            try "#!/bin/sh\n\(script)\n".write(toFile: file, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
            return file
        }
    }

    /// How it ends: the exit code, and what is complained of.
    private func end(
        _ command: some AsyncParsableCommand
    ) async throws -> (code: Int32, says: String) {
        var command = command
        do {
            try await command.run()
            return (0, "")
        } catch let error as ExitCode {
            return (error.rawValue, "")
        } catch let error as AgentError {
            return (error.exitCode, error.description)
        }
    }

    private func record(
        _ folder: Folder, _ arguments: [String]
    ) async throws -> (code: Int32, says: String) {
        try await end(
            try BaselineCommand.Record.parse(
                [folder.file, "--root", folder.path, "--samples", "5", "--warmup", "1"] + arguments)
        )
    }

    private func compare(
        _ folder: Folder, _ arguments: [String] = []
    ) async throws -> (code: Int32, says: String) {
        try await end(
            try BaselineCommand.Compare.parse(
                [folder.file, "--root", folder.path, "--samples", "5"] + arguments))
    }

    /// Whatever was recorded, it is not slower than this allows.
    private static let tolerant = ["--slower-max", "1e6", "--slower-warn", "1e6"]

    private func kept(_ folder: Folder) throws -> PerformanceBaseline {
        try BaselineText.read(folder.file)
    }

    @Test("figures are kept with host and plan, in a file for its owner alone")
    func keeps() async throws {
        let folder = try Folder()
        let plan = "sha256:" + String(repeating: "ab", count: 32)
        // What looks like a template is none: the program must see it as it was given.
        let script = #"test "$1" = "{{ {{{" && test "$BELAY_ROOT" = "$(dirname "$0")""#
        let argv = [try folder.program(script), "{{ {{{"]
        #expect(try await record(folder, ["--plan", plan, "--"] + argv).code == 0)
        let baseline = try kept(folder)
        #expect(baseline.argv == argv && baseline.url == nil && baseline.figures.samples == 5)
        #expect(baseline.plan == Digest(plan) && baseline.figures.p50 > 0)
        #expect(baseline.host == StateDirectory(root: folder.path, state: nil).hostID.rawValue)
        let mode = try FileManager.default.attributesOfItem(atPath: folder.file)[.posixPermissions]
        #expect(mode as? Int == 0o600)
        #expect(try folder.names() == ["b.json", "etc", "program"])
        #expect(
            BaselineText.lines(baseline).joined().contains(baseline.figures.text))
        #expect(try await end(try BaselineCommand.Show.parse([folder.file])).code == 0)
        #expect(try await compare(folder, Self.tolerant).code == 0)
    }

    @Test("an endpoint is recorded and compared as a program is")
    func endpoint() async throws {
        let folder = try Folder()
        let answers = try OneAnswer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        #expect(try await record(folder, ["--url", answers.url]).code == 0)
        #expect(try kept(folder).url == answers.url)
        #expect(try await compare(folder, Self.tolerant).code == 0)
        withExtendedLifetime(answers) {}
    }

    @Test("what fails, hangs or holds a secret is not recorded, and the old file stays")
    func refuses() async throws {
        let folder = try Folder()
        try folder.place(["/bin/true"], took: 1)
        let before = try kept(folder)
        let often = try folder.program(
            #"echo x >> "$BELAY_ROOT/runs"; test $(wc -l < "$BELAY_ROOT/runs") -ne 3"#)
        let missing = try OneAnswer("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        for (arguments, code, says) in [
            (["--", "/bin/false"], 7, "every run failed"),
            (["--", "/nowhere/program"], 7, "every run failed"),
            (["--url", "http://127.0.0.1:1/"], 7, "every run failed"),
            (["--url", missing.url], 7, "status 404"),
            (["--timeout", "1s", "--", "/bin/sleep", "30"], 7, "within the timeout"),
            (["--", often], 6, "more errors than --errors-max, 1.0%"),
            (["--url", "http://h/?token=Zx9kQ2vR8tLw"], 3, "looks like a secret"),
            (["--", "/bin/true", "--password=Zx9kQ2vR8tLw"], 3, "looks like a secret"),
        ] as [([String], Int32, String)] {
            let end = try await record(folder, arguments)
            #expect(end.code == code && end.says.contains(says), "\(arguments): \(end)")
            #expect(!end.says.contains("Zx9kQ2vR8tLw"), "\(end)")
        }
        withExtendedLifetime(missing) {}
        #expect(try kept(folder) == before)
        try FileManager.default.removeItem(atPath: folder.path + "/runs")
        #expect(try await record(folder, ["--errors-max", "20", "--", often]).code == 0)
        #expect(try kept(folder).figures.errorRate == 0.2)
    }

    @Test(
        "arguments that make no sense are refused",
        arguments: [
            [], ["--url", "http://h", "--", "true"], ["--samples", "4", "--", "true"],
            ["--warmup", "1001", "--", "true"], ["--plan", "1", "--", "true"],
            ["--errors-max", "101", "--", "true"], ["--timeout", "1", "--", "true"],
        ])
    func usage(arguments: [String]) {
        #expect(throws: (any Error).self) {
            try BaselineCommand.Record.parse(["/tmp/none/b.json"] + arguments)
        }
    }

    @Test("the exit code of a comparison says what was found")
    func compares() async throws {
        let folder = try Folder()
        #expect(try await compare(folder).code == 13)
        try folder.place(["/bin/true"], took: 60_000)
        #expect(try await compare(folder).code == 0)
        try folder.place(["/bin/sleep", "0.05"], took: 1)
        #expect(try await compare(folder).code == 6)
        #expect(try await compare(folder, Self.tolerant).code == 0)
        #expect(try await compare(folder, ["--slower-max=-1"]).code == 5)
        #expect(try await compare(folder, ["--slower-max", "5"]).code == 6)
        let file = folder.path + "/etc/belay/belay-agent.json"
        try #"{"validators": {"performance_baseline": {"slower_max": 1000000}}}"#
            .write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try await compare(folder).code == 0)
        try "{".write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try await compare(folder).code == 3)
        try FileManager.default.removeItem(atPath: file)
        try folder.place(["/bin/sleep", "30"], took: 60_000)
        #expect(try await compare(folder, ["--timeout", "1s"]).code == 7)
        try folder.place(["/bin/false"], took: 60_000)
        #expect(try await compare(folder).code == 7)
    }

    @Test(
        "a file with which nothing could be compared is refused",
        arguments: [
            ("", 3), ("{}", 3), (#""p50":1e300"#, 3), (#""p50":-1"#, 3), (#""p50":1e11"#, 3),
            (#""error_rate":1"#, 3), (#""samples":0"#, 3), (#""version":2"#, 3),
        ])
    func malformed(change: String, code: Int32) async throws {
        let folder = try Folder()
        try folder.place(["/bin/true"], took: 1)
        let text = try String(contentsOfFile: folder.file, encoding: .utf8)
        var changed = change
        if let colon = change.firstIndex(of: ":") {
            let key = try Regex("\(change[...colon])[0-9.]+")
            changed = text.replacing(key, with: change)
            #expect(changed != text)
        }
        try changed.write(toFile: folder.file, atomically: true, encoding: .utf8)
        #expect(try await compare(folder).code == code)
        #expect(try await end(try BaselineCommand.Show.parse([folder.file])).code == code)
    }
}

/// A server on loopback that gives the same answer to each connection; it ends with the object.
private final class OneAnswer {
    private let listener: Int32
    let url: String

    init(_ answer: String) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                bind(listener, raw, size) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, raw, &size) == 0
            }
        }
        url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))/"
        try #require(isBound)
        Thread.detachNewThread {
            var request = [UInt8](repeating: 0, count: 65536)
            while true {
                let peer = accept(listener, nil, nil)
                guard peer >= 0 else { return }
                _ = recv(peer, &request, request.count, 0)
                _ = Array(answer.utf8).withUnsafeBytes {
                    send(peer, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                close(peer)
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }
}
