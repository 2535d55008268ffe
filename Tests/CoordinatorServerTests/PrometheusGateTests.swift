import FleetWire
import Foundation
import RolloutCore
import RolloutPlan
import Testing

@testable import CoordinatorServer

@Suite("Prometheus gates", .serialized)
struct PrometheusGateTests {
    private static func vector(_ values: [String], more: String = "") -> String {
        let samples = values.map {
            #"{"metric": {"instance": "h1:9100"}, "value": [1, "\#($0)"]}"#
        }
        return #"{"status": "success", "data": {"resultType": "vector", "result": ["#
            + samples.joined(separator: ",") + "]}\(more)}"
    }

    private func finding(
        _ body: String, status: Int = 200, _ comparison: Comparison = .below, samples: Int = 1
    ) -> GateFinding {
        PrometheusGate.finding(
            .init(status: status, body: Array(body.utf8)),
            GateSamples.query("up", comparison, 1, samples: samples))
    }

    @Test(
        "let every sample keep the limit",
        arguments: [
            (["0.5"], .pass), (["0.5", "0.9"], .pass), (["0.5", "1"], .fail),
            ([], nil), (["NaN"], nil), (["0.5", "NaN"], nil), (["NaN", "2"], .fail),
            (["+Inf"], .fail), (["-Inf"], .pass), (["no number"], nil),
        ] as [([String], Verdict?)])
    func vectors(_ values: [String], _ expected: Verdict?) {
        let found = finding(Self.vector(values))
        #expect(found.verdict == expected, "\(found.detail)")
    }

    @Test("that compare NaN never hold, whatever the comparison", arguments: Comparison.allCases)
    func notANumber(_ comparison: Comparison) {
        #expect(finding(Self.vector(["NaN"]), comparison).verdict == nil)
    }

    @Test("take scalars, and no strings, matrices, histograms or garbage")
    func kinds() {
        func of(_ kind: String, _ result: String) -> GateFinding {
            finding(
                #"{"status": "success", "data": {"resultType": "\#(kind)", "result": \#(result)}}"#)
        }
        #expect(of("scalar", #"[1, "0.5"]"#).verdict == .pass)
        #expect(of("scalar", #"[1, "1.5"]"#).verdict == .fail)
        #expect(of("string", #"[1, "0.5"]"#).verdict == nil)
        #expect(of("matrix", #"[{"metric": {}, "values": [[1, "0.5"]]}]"#).verdict == nil)
        #expect(
            of("vector", #"[{"metric": {}, "histogram": [1, {"count": "1"}]}]"#).verdict == nil)
        #expect(of("vector", "7").verdict == nil)
        for garbage in ["", "{}", "[]", "<html>", #"{"status": "success"}"#] {
            #expect(finding(garbage).verdict == nil)
        }
        let refused = finding(
            #"{"status": "error", "errorType": "bad_data", "error": "parse error at 1"}"#,
            status: 400)
        #expect(refused.verdict == nil && refused.detail.contains("parse error at 1"))
        // An error's body does not pass, whatever else it says.
        #expect(finding(Self.vector(["0.5"]), status: 503).verdict == nil)
    }

    @Test("want the samples that the plan asks for, and tell warnings")
    func minimum() {
        #expect(finding(Self.vector(["0", "0"]), samples: 3).verdict == nil)
        #expect(finding(Self.vector([]), samples: 0).verdict == nil)
        let warned = finding(Self.vector(["0"], more: #", "warnings": ["half of it"]"#))
        #expect(warned.verdict == .pass && warned.detail.contains("warning: half of it"))
    }

    @Test("name the wave's hosts as a regular expression that fits quotes of any kind")
    func hosts() {
        let query = PrometheusGate.query(
            #"up{instance=~"({{ wave.hosts }}):9100"}"#,
            hosts: ["db-1.example.org", "db-2"].map { HostID(unchecked: $0) })
        #expect(query == #"up{instance=~"(db-1[.]example[.]org|db-2):9100"}"#)
    }

    @Test(
        "ask a real Prometheus",
        .enabled(if: RealPrometheus.missing == nil, "needs the Debian package prometheus"))
    func real() async throws {
        let scratch = try Scratch()
        let exporter: @Sendable (String) -> FakeServer.Answer = { _ in
            .status(
                200, ["content-type": "text/plain; version=0.0.4"],
                "errors{host=\"h1\"} 0.25\nerrors{host=\"h2\"} 0.5\nrequests 0\n")
        }
        try await FakeServer.run(exporter) { server in
            try await RealPrometheus.run(in: scratch, scraping: server.port) { url in
                let client = try GateClient()
                func ask(
                    _ query: String, _ comparison: Comparison = .below, samples: Int = 1
                ) async throws -> GateFinding {
                    let rule = GateSamples.query(query, comparison, 0.4, samples: samples, url: url)
                    return await PrometheusGate.ask(
                        rule, try GateSamples.work(.prometheus(rule)), client)
                }
                try await eventually("the exporter was scraped") {
                    try await ask("errors", .atLeast).verdict != nil
                }
                let both = try await ask(#"errors{host=~"{{ wave.hosts }}"}"#, samples: 2)
                #expect(both.verdict == .fail && both.detail.contains("0.5"), "\(both.detail)")
                #expect(try await ask(#"errors{host="h1"}"#).verdict == .pass)
                #expect(try await ask(#"scalar(errors{host="h1"})"#).verdict == .pass)
                let few = try await ask(#"errors{host="h1"}"#, samples: 2)
                #expect(few.verdict == nil && few.detail.contains("1 of 2"), "\(few.detail)")
                #expect(try await ask("no_such_metric").verdict == nil)
                let zero = try await ask("requests / requests")
                #expect(zero.verdict == nil && zero.detail.contains("no number"), "\(zero.detail)")
                #expect(try await ask("errors[5m]").verdict == nil)
                let wrong = try await ask("errors{")
                #expect(wrong.verdict == nil && wrong.detail.contains("parse error"))
                await client.shutdown()
            }
        }
    }
}

/// The program of the Debian package, on loopback, in a folder of the test's own.
enum RealPrometheus {
    private static let program = ["/usr/bin/prometheus", "/usr/local/bin/prometheus"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    static var missing: String? { program == nil ? "prometheus is not installed" : nil }

    static func run(
        in scratch: Scratch, scraping port: Int, _ body: (String) async throws -> Void
    ) async throws {
        let config = """
            global: {scrape_interval: 1s, scrape_timeout: 1s}
            scrape_configs:
              - {job_name: t, static_configs: [{targets: ["127.0.0.1:\(port)"]}]}
            """
        let file = scratch.path + "/prometheus.yml"
        try config.write(toFile: file, atomically: true, encoding: .utf8)
        let own = try freePort()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program ?? "/nonexistent")
        process.arguments = [
            "--config.file=" + file, "--storage.tsdb.path=" + scratch.path + "/data",
            "--web.listen-address=127.0.0.1:\(own)", "--log.level=error",
        ]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        defer {
            process.terminate()
            process.waitUntilExit()
        }
        try await body("http://127.0.0.1:\(own)/")
    }

    /// A port that was free a moment ago; Prometheus cannot tell us one that it chose.
    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard bound else { throw Late(what: "a free port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
