import FleetWire
import FoundationEssentials
import Glibc
import Testing

@Suite struct ConfigPermissionsTests {
    private func root() throws -> CheckRoot {
        let root = try CheckRoot()
        try root.place("/etc/app/a.yaml", "x", mode: 0o640)
        try root.place("/etc/app/sub/b.yaml", "x", mode: 0o600)
        try root.place("/etc/open/c.yaml", "x", mode: 0o664)
        try root.place("/etc/mixed/d.yaml", "x", mode: 0o600)
        try root.place("/etc/mixed/d.bak", "x", mode: 0o666)
        mkdir(root.path + "/etc/empty", 0o755)
        return root
    }

    private func paths(
        _ paths: String..., adding more: [String: ParameterValue] = [:]
    ) -> [String: ParameterValue] {
        ["paths": .list(paths.map { .text($0) })].merging(more) { $1 }
    }

    @Test func allFilesOfAFolderAreHeldAgainstTheMode() async throws {
        let root = try root()
        for row in [
            Row("narrow", paths("/etc/app"), .pass, says: "2 files looked at"),
            Row("one file", paths("/etc/app/a.yaml"), .pass, says: "1 files"),
            Row("wide", paths("/etc/app", "/etc/open"), .fail, says: "c.yaml: mode 0664"),
            Row("narrower", paths("/etc/app", adding: ["mode_max": .text("0600")]), .fail),
            Row("a word", paths("/etc/app", adding: ["mode_warn": .text("0600")]), .warn),
            Row("not octal", paths("/etc/app", adding: ["mode_max": .text("rw")]), .unknown),
            Row("all suffixes", paths("/etc/mixed"), .fail, says: "d.bak"),
            Row(
                "one suffix", paths("/etc/mixed", adding: ["suffixes": .list([.text(".yaml")])]),
                .pass, says: "1 files"),
            Row(
                "no such suffix", paths("/etc/app", adding: ["suffixes": .list([.text(".ini")])]),
                .unknown, says: "no file was looked at"),
            Row("an empty folder", paths("/etc/empty"), .unknown, says: "no file"),
            Row("no path", paths(), .unknown, says: "no file"),
            Row("missing", paths("/etc/app", "/etc/none"), .fail, says: "/etc/none: is missing"),
            Row(
                "owned", paths("/etc/app", adding: ["owners": .list([.text("\(geteuid())")])]),
                .pass),
            Row("another's", paths("/etc/app", adding: ["owners": .list([.text("4711")])]), .fail),
            Row("no owner", paths("/etc/app", adding: ["owners": .list([])]), .fail),
            Row(
                "nobody's", paths("/etc/app", adding: ["owners": .list([.text("no-one")])]),
                .unknown),
            Row("grouped", paths("/etc/app", adding: ["groups": .list([.text("4711")])]), .fail),
        ] {
            try await root.expect("config_permissions", row)
        }
        chmod(root.path + "/etc/app", 0o777)
        try await root.expect(
            "config_permissions",
            Row("open folder", paths("/etc/app"), .fail, says: "write this folder"))
        chmod(root.path + "/etc/app", 0o1777)
        try await root.expect("config_permissions", Row("sticky", paths("/etc/app"), .pass))
    }

    @Test func linksAreNotFollowedAndAllOffencesAreEvidence() async throws {
        let root = try root()
        symlink(root.path + "/etc/open", root.path + "/etc/app/link")
        try await root.expect(
            "config_permissions", Row("a link", paths("/etc/app"), .pass, says: "2 files"))
        let result = try await root.validate(
            "config_permissions", paths("/etc/open", "/etc/mixed"))
        #expect(result.evidence?.count == 2, "\(result)")
    }
}

@Suite struct SensitiveDataTests {
    private let secret = "kR7-vQ2x.Lm9"
    private let random = "9fJk2LmQx7Rt4VbNz8Wp3YcHs6Dg"

    private func paths(_ paths: String..., adding more: [String: ParameterValue] = [:]) -> [String:
        ParameterValue]
    {
        ["paths": .list(paths.map { .text($0) })].merging(more) { $1 }
    }

    @Test func secretsAreFoundByPatternAndEntropyAndNeverShown() async throws {
        let root = try CheckRoot()
        try root.place("/etc/clean", "password: ${DB_PASSWORD}\nname: x\n")
        try root.place("/etc/open", "a: 1\npassword: \(secret)\n")
        try root.place("/etc/private", "password: \(secret)\n", mode: 0o600)
        try root.place(
            "/etc/key", "-----BEGIN RSA PRIVATE KEY-----\nAA\n-----END RSA PRIVATE KEY-----\n")
        try root.place("/etc/random", "id: \(random)\n")
        try root.place("/etc/url", "db: postgres://app:\(secret)@db/app\n")
        try root.place("/etc/digest", "sum: \(String(repeating: "0123456789abcdef", count: 4))\n")
        try root.place("/etc/binary", "password: \(secret)\u{0}")
        try root.place("/etc/large", String(repeating: "a line\n", count: 200_000))
        mkdir(root.path + "/etc/none", 0o755)
        for row in [
            Row("references", paths("/etc/clean"), .pass, says: "1 files and environments read"),
            Row("open", paths("/etc/clean", "/etc/open"), .fail, says: "open:2: the value of"),
            Row("private", paths("/etc/private"), .warn, says: "1 secrets"),
            Row("private fails", paths("/etc/private", adding: ["private": .text("fail")]), .fail),
            Row("private passes", paths("/etc/private", adding: ["private": .text("pass")]), .pass),
            Row("a key", paths("/etc/key"), .fail, says: "key:1: a private key"),
            Row("a random word", paths("/etc/random"), .fail, says: "a random word"),
            Row("not so random", paths("/etc/random", adding: ["entropy_min": .whole(8)]), .pass),
            Row("in a URL", paths("/etc/url"), .fail),
            Row("a digest", paths("/etc/digest"), .pass),
            Row(
                "known",
                paths("/etc/open", "/etc/clean", adding: ["allow": .list([.text("/etc/open")])]),
                .pass, says: "1 allowed"),
            Row(
                "all known", paths("/etc/open", adding: ["allow": .list([.text("/etc/open")])]),
                .unknown, says: "nothing was read"),
            Row("no text", paths("/etc/binary"), .unknown, says: "nothing was read"),
            Row(
                "too large", paths("/etc/clean", "/etc/large"), .unknown, says: "larger than 1 MiB"),
            Row("missing", paths("/etc/clean", "/etc/nothing"), .unknown, says: "is missing"),
            Row("an empty folder", paths("/etc/none"), .unknown),
            Row("no path", paths(), .unknown),
        ] {
            let result = try await root.validate("sensitive_data", row.parameters)
            #expect(!"\(result)".contains(secret) && !"\(result)".contains(random))
            try await root.expect("sensitive_data", row)
        }
    }

    @Test func theEnvironmentOfAServiceIsLookedAt() async throws {
        let root = try CheckRoot()
        try root.process(7, "web", user: 0)
        let asked: [String: ParameterValue] = ["program": .text("web")]
        try await root.expect("sensitive_data", Row("unreadable", asked, .unknown))
        try root.place("/proc/7/environ", "PATH=/usr/bin\u{0}LANG=C\u{0}")
        try await root.expect("sensitive_data", Row("clean", asked, .pass))
        try root.place("/proc/7/environ", "PATH=/usr/bin\u{0}DB_PASSWORD=\(secret)\u{0}")
        try await root.expect(
            "sensitive_data", Row("a secret", asked, .warn, says: "DB_PASSWORD is the value of"))
        let result = try await root.validate("sensitive_data", asked)
        #expect(!"\(result)".contains(secret))
        let other: [String: ParameterValue] = ["program": .text("db")]
        try await root.expect("sensitive_data", Row("not running", other, .unknown))
    }
}

@Suite struct FeatureFlagsTests {
    private static let file = """
        {"flags": {
          "new": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"},
          "rate": {"state": "ENABLED", "variants": {"low": 5, "high": 50}, "defaultVariant": "low",
                   "targeting": {"if": [true, "high", "low"]}},
          "dead": {"state": "DISABLED", "variants": {"on": true}, "defaultVariant": "on"},
          "bare": {"state": "ENABLED", "variants": {"on": true}, "defaultVariant": null}
        }}
        """

    private func asked(
        _ flags: [String: String], adding more: [String: ParameterValue] = [:]
    ) -> [String: ParameterValue] {
        ["flags": .map(flags.mapValues { .text($0) }), "file": .text("/etc/flags.json")]
            .merging(more) { $1 }
    }

    @Test func theFileIsReadBack() async throws {
        let root = try CheckRoot()
        try root.place("/etc/flags.json", Self.file)
        try root.place("/etc/broken.json", "{")
        for row in [
            Row("by name", asked(["new": "on"]), .pass, says: "1 flags looked for"),
            Row("by value", asked(["new": "true"]), .pass),
            Row("another", asked(["new": "off"]), .fail, says: "new is on, not off"),
            Row("another's value", asked(["new": "false"]), .fail),
            Row("with rules", asked(["rate": "5"]), .warn, says: "targeting rules"),
            Row(
                "rules are known", asked(["rate": "5"], adding: ["variant_warn": .flag(false)]),
                .pass),
            Row("disabled", asked(["dead": "on"]), .fail, says: "not enabled"),
            Row("no default", asked(["bare": "on"]), .fail, says: "no default variant"),
            Row("missing", asked(["new": "on", "none": "on"]), .fail, says: "no flag none"),
            Row("nothing asked", asked([:]), .unknown, says: "no flag"),
            Row("no file", asked(["new": "on"], adding: ["file": .text("/none")]), .fail),
            Row(
                "no JSON", asked(["new": "on"], adding: ["file": .text("/etc/broken.json")]),
                .unknown),
        ] {
            try await root.expect("feature_flags", row)
        }
    }

    @Test func theApplicationIsAsked() async throws {
        let root = try CheckRoot()
        try root.place("/etc/flags.json", Self.file)
        for (answer, status, says) in [
            (#"{"new": true}"#, CheckStatus.pass, ""), (#"{"flags": {"new": "on"}}"#, .pass, ""),
            (#"{"new": {"value": true, "variant": "on"}}"#, .pass, ""),
            (#"{"new": false}"#, .fail, "the application has new as false, not on"),
            (#"{"old": true}"#, .fail, "tells no flag new"),
            (#"{"new": []}"#, .unknown, "no value"),
            ("[]", .unknown, "no JSON object"), ("{", .unknown, "no JSON object"),
        ] {
            let server = try AnsweringPort([.init(body: answer)])
            try await root.expect(
                "feature_flags",
                Row(
                    answer, asked(["new": "on"], adding: ["url": .text(server.url)]), status,
                    says: says))
        }
        let down = try ListeningPort().port
        let url = ParameterValue.text("http://127.0.0.1:\(down)/flags")
        try await root.expect(
            "feature_flags", Row("down", asked(["new": "on"], adding: ["url": url]), .unknown))
        let server = try AnsweringPort([.init(status: 500, body: "{}")])
        try await root.expect(
            "feature_flags",
            Row("fails", asked(["new": "on"], adding: ["url": .text(server.url)]), .unknown))
    }
}
