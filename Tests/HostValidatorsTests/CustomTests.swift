import FleetWire
import Glibc
import HostValidators
import Testing
import Validation

@Suite struct NagiosTests {
    private func plugin(_ script: String) -> [String: ParameterValue] {
        ["argv": .list(["/bin/sh", "-c", script].map { .text($0) })]
    }

    @Test func theExitDecides() async throws {
        let root = try CheckRoot()
        for row in [
            Row("ok", plugin("echo 'OK - fine'"), .pass, says: "OK - fine"),
            Row("warning", plugin("echo 'WARNING - low'; exit 1"), .warn, says: "WARNING - low"),
            Row("critical", plugin("echo CRITICAL; exit 2"), .fail, says: "CRITICAL"),
            Row("unknown", plugin("echo UNKNOWN; exit 3"), .unknown, says: "UNKNOWN"),
            Row("any other", plugin("echo OK; exit 4"), .unknown, says: "exit 4"),
            Row("a shell's", plugin("no-such-plugin"), .unknown, says: "exit 127"),
            Row("a signal", plugin("kill -9 $$"), .unknown, says: "signal 9"),
            Row("no plugin", ["argv": .list([.text("/none")])], .unknown, says: "not started"),
            Row("no argv", ["argv": .list([])], .unknown),
            Row("not a word", plugin("exit 0"), .unknown, says: "without a word"),
            Row("only figures", plugin("echo '|a=1'"), .unknown),
        ] {
            try await root.expect("nagios", row)
        }
        let late = try await root.validate(
            "nagios", plugin("echo OK; sleep 30"), timeout: Milliseconds(300))
        #expect(late.status == .unknown)
    }

    @Test func figuresBecomeMetricsAndLinesEvidence() async throws {
        let script = """
            cat <<'E'
            DISK OK - free space: / 3326 MB|/=2643MB;5948;5958;0;5968 'my ''disk'''=5.5%;~:10;@5:6
            / 15272 MB (77%);
            /boot 68 MB | /boot=68MB;88;93;0;98
            time=1.5e-3s bad=x =3 broken;1 load=U;1;2
            E
            """
        let result = try await CheckRoot().validate("nagios", plugin(script))
        #expect(result.status == .pass && result.measured == "DISK OK - free space: / 3326 MB")
        #expect(result.evidence == ["/ 15272 MB (77%);", "/boot 68 MB"])
        #expect(
            result.metrics == [
                CheckMetric(
                    name: "/", value: 2643, unit: "MB", warn: "5948", fail: "5958", least: 0,
                    most: 5968),
                CheckMetric(name: "my 'disk'", value: 5.5, unit: "%", warn: "~:10", fail: "@5:6"),
                CheckMetric(
                    name: "/boot", value: 68, unit: "MB", warn: "88", fail: "93", least: 0, most: 98
                ),
                CheckMetric(name: "time", value: 0.0015, unit: "s"),
            ], "\(result.metrics ?? [])")
    }

    @Test func whatPluginsWriteIsBounded() async throws {
        let long = String(repeating: "x", count: 500)
        let script = """
            data=; for i in $(seq 40); do data="$data m$i=1\(long);\(long);\(long)"; done
            echo "OK|$data"
            """
        let root = try CheckRoot()
        let spec = try #require(ValidatorCatalog.spec("nagios"))
        let checks = (0..<30).map {
            CheckSpec(name: "\($0)", kind: .validator(spec.call(plugin(script))))
        }
        let results = await CheckRunner(root: root.path).run(checks, context: root.context)
        #expect(results.allSatisfy { $0.status == .pass } && results.count == 30)
        #expect(results[0].metrics?.count == CheckMetric.countMax)
        #expect(results[0].metrics?.allSatisfy { ($0.unit?.utf8.count ?? 0) <= 20 } == true)
        #expect(results[29].metrics == nil)
        let bytes = try WireJSON.encode(CheckReply(results: results)).count
        #expect(bytes < FrameLimits.v1.payloadBytesMax / 2, "\(bytes)")
    }

    private static let plugins = "/usr/lib/nagios/plugins/"

    /// The plugins of Debian's monitoring-plugins-basic, as they are.
    @Test(.enabled(if: access(plugins + "check_disk", X_OK) == 0, "needs monitoring-plugins-basic"))
    func thePluginsOfTheDistributionWorkUnchanged() async throws {
        let root = try CheckRoot()
        let port = try ListeningPort()
        let closed = try ListeningPort().port
        func row(_ about: String, _ plugin: String, _ arguments: [String], _ status: CheckStatus)
            -> Row
        {
            Row(
                about, ["argv": .list(([Self.plugins + plugin] + arguments).map { .text($0) })],
                status)
        }
        for row in [
            row("a disk", "check_disk", ["-w", "0%", "-c", "0%", "-p", "/"], .pass),
            row("a full disk", "check_disk", ["-w", "101%", "-c", "0%", "-p", "/"], .warn),
            row("no such disk", "check_disk", ["-w", "1%", "-c", "1%", "-p", "/none"], .fail),
            row("a port", "check_tcp", ["-H", "127.0.0.1", "-p", "\(port.port)"], .pass),
            row("no port", "check_tcp", ["-H", "127.0.0.1", "-p", "\(closed)"], .fail),
            row("a load", "check_load", ["-w", "9999,9999,9999", "-c", "9999,9999,9999"], .pass),
            row("any load", "check_load", ["-w", "0,0,0", "-c", "9999,9999,9999"], .warn),
            row("too much load", "check_load", ["-w", "0,0,0", "-c", "0,0,0"], .fail),
            row("processes", "check_procs", ["-w", "0:99999", "-c", "0:99999"], .pass),
            row("too many", "check_procs", ["-w", "0:0", "-c", "0:99999"], .warn),
            row("no arguments", "check_tcp", [], .unknown),
        ] {
            try await root.expect("nagios", row)
        }
        let disk = try await root.validate(
            "nagios",
            [
                "argv": .list(
                    [Self.plugins + "check_disk", "-w", "1", "-c", "0", "-p", "/"].map { .text($0) }
                )
            ])
        let metric = try #require(disk.metrics?.first)
        #expect(metric.name == "/" && metric.value > 0 && metric.most ?? 0 > 0, "\(disk)")
    }
}

@Suite struct FeatureComputationTests {
    private func asked(
        _ output: String, _ more: [String: ParameterValue] = [:]
    ) -> [String: ParameterValue] {
        [
            "argv": .list(["/bin/sh", "-c", "cat <<'E'\n\(output)\nE"].map { .text($0) }),
            "golden": .text("/golden"),
        ].merging(more) { $1 }
    }

    @Test func whatAProgramComputesIsHeldAgainstTheGoldenFile() async throws {
        let root = try CheckRoot()
        try root.place("/golden", "mean = 2.5 [1, 2.0]\nname: x\n")
        let near = "mean = 2.50000000001 [1.0, 2]\nname: x"
        let far = "mean = 2.51 [1, 2]\nname: x"
        for row in [
            Row(
                "the same", asked("mean = 2.5 [1, 2.0]\nname: x"), .pass, says: "3 of them numbers"),
            Row("nearly", asked(near), .pass),
            Row("exactly", asked(near, ["relative_max": .whole(0)]), .fail, says: "relative_max"),
            Row("too far", asked(far), .fail, says: "line 1: `2.51`, not `2.5`"),
            Row("far enough", asked(far, ["relative_max": .number(0.1)]), .pass),
            Row(
                "worth a word",
                asked(far, ["relative_max": .number(0.1), "relative_warn": .number(0.001)]), .warn,
                says: "relative_warn"),
            Row("by amount", asked(far, ["absolute": .number(0.02)]), .pass),
            Row(
                "another word", asked("mean = 2.5 [1, 2.0]\nname: y"), .fail,
                says: "line 2: `y`, not `x`"),
            Row("another order", asked("mean = 2.5 1 [, 2.0]\nname: x"), .fail),
            Row("no number", asked("mean = nan [1, 2.0]\nname: x"), .fail, says: "`nan`"),
            Row("less", asked("mean = 2.5 [1, 2.0]"), .fail, says: "words"),
            Row("more", asked("mean = 2.5 [1, 2.0]\nname: x\nz"), .fail, says: "words"),
            Row("nothing", asked(""), .fail),
        ] {
            try await root.expect("feature_computation", row)
        }
        let failing: [String: ParameterValue] = [
            "argv": .list(["/bin/sh", "-c", "cat $BELAY_ROOT/golden; exit 1"].map { .text($0) }),
            "golden": .text("/golden"),
        ]
        try await root.expect("feature_computation", Row("fails", failing, .fail, says: "exit 1"))
    }

    @Test func withoutAGoldenFileNothingIsKnown() async throws {
        let root = try CheckRoot()
        try await root.expect(
            "feature_computation", Row("none", asked("1"), .unknown, says: "missing"))
        try root.place("/golden", " \n\n")
        try await root.expect(
            "feature_computation", Row("empty", asked(""), .unknown, says: "empty"))
    }
}
