import FleetWire
import Glibc
import Testing

extension CheckRoot {
    /// A process as proc(5) shows it.
    func process(_ pid: Int, _ name: String, user: Int, state: String = "S (sleeping)") throws {
        try place(
            "/proc/\(pid)/status",
            "Name:\t\(name.prefix(15))\nState:\t\(state)\nUid:\t0\t\(user)\t0\t0\n")
        try place("/proc/\(pid)/comm", name.prefix(15) + "\n")
        try place("/proc/\(pid)/cmdline", "/usr/sbin/\(name)\u{0}-d\u{0}")
    }

    /// A `systemctl` that answers `show` with these lines, or fails.
    func systemctl(_ lines: String, exit code: Int = 0) throws {
        try place(
            "/usr/bin/systemctl", "#!/bin/sh\ncat <<'E'\n\(lines)\nE\nexit \(code)\n", mode: 0o755)
    }
}

@Suite struct ProcessTests {
    private func root() throws -> CheckRoot {
        let root = try CheckRoot()
        try root.process(7, "web", user: 33)
        try root.process(8, "web", user: 34)
        try root.process(9, "gone", user: 33, state: "Z (zombie)")
        try root.process(10, "a-name-of-more-than-fifteen", user: 0)
        try root.place("/run/web.pid", "7\n")
        try root.place("/run/stale.pid", "99\n")
        try root.place("/run/empty.pid", "\n")
        try root.place("/etc/passwd", "www:x:33:33::/:/bin/sh\nother:x:34:34::/:/bin/sh\n")
        try root.place("/etc/group", "www:x:33:\n")
        return root
    }

    @Test(arguments: [
        Row("it runs", ["program": .text("web")], .pass, says: "web: 2 running (7, 8)"),
        Row("by a long name", ["program": .text("a-name-of-more-than-fifteen")], .pass),
        Row("by a file", ["pid_file": .text("/run/web.pid")], .pass, says: "1 running (7)"),
        Row("none runs", ["program": .text("db")], .fail, says: "fewer than count_min, 1"),
        Row("it has ended", ["program": .text("gone")], .fail, says: "0 running"),
        Row("too few", ["program": .text("web"), "count_min": .whole(3)], .fail),
        Row(
            "too many", ["program": .text("web"), "count_max": .whole(1)], .fail, says: "count_max"),
        Row("many", ["program": .text("web"), "count_warn": .whole(1)], .warn, says: "count_warn"),
        Row("none must run", ["program": .text("db"), "count_max": .whole(0)], .pass),
        Row("one must not", ["program": .text("web"), "count_max": .whole(0)], .fail),
        Row(
            "as another", ["program": .text("web"), "user": .text("www")], .fail,
            says: "8 runs as other, not www"),
        Row("as whom", ["pid_file": .text("/run/web.pid"), "user": .text("www")], .pass),
        Row("as nobody", ["program": .text("web"), "user": .text("none")], .unknown),
        Row("a stale file", ["pid_file": .text("/run/stale.pid")], .fail),
        Row("no file", ["pid_file": .text("/run/none.pid")], .fail),
        Row("an empty file", ["pid_file": .text("/run/empty.pid")], .unknown, says: "no number"),
    ])
    func processesAreFoundAndCounted(_ row: Row) async throws {
        try await root().expect("process", row)
    }

    @Test func theMainProcessOfAUnitIsFound() async throws {
        let root = try root()
        let unit: [String: ParameterValue] = ["unit": .text("web.service")]
        try root.systemctl("LoadState=loaded\nActiveState=active\nMainPID=7")
        try await root.expect(
            "process", Row("runs", unit, .pass, says: "web.service: 1 running (7)"))
        try root.systemctl("LoadState=loaded\nActiveState=inactive\nMainPID=0")
        try await root.expect("process", Row("does not", unit, .fail))
        try root.systemctl("", exit: 1)
        try await root.expect("process", Row("nothing is told", unit, .unknown))
        try root.systemctl("LoadState=not-found\nActiveState=inactive\nMainPID=0")
        let none = unit.merging(["count_max": .whole(0)]) { $1 }
        try await root.expect("process", Row("no such unit", none, .unknown, says: "not-found"))
    }

    @Test func whereNoProcessIsSeenNothingIsKnown() async throws {
        let root = try CheckRoot()
        mkdir(root.path + "/proc", 0o755)
        let none: [String: ParameterValue] = ["program": .text("web"), "count_max": .whole(0)]
        try await root.expect(
            "process", Row("an empty /proc", none, .unknown, says: "no processes"))
    }

    @Test func theProcessesOfThisMachineAreSeen() async throws {
        let result = try await CheckRoot().validate(
            "process", ["program": .text("no such program")])
        #expect(result.status == .fail && result.measured.contains("0 running"))
    }
}

@Suite struct SystemdUnitTests {
    private static let sound =
        "NRestarts=0\nLoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled"

    private func expect(
        _ lines: String, _ parameters: [String: ParameterValue], _ status: CheckStatus,
        says: String = "", exit code: Int = 0
    ) async throws {
        let root = try CheckRoot()
        try root.systemctl(lines, exit: code)
        try await root.expect(
            "systemd_unit",
            Row(
                lines, ["unit": .text("web.service")].merging(parameters) { $1 }, status, says: says
            ))
    }

    @Test func aUnitIsHeldAgainstWhatItShouldBe() async throws {
        let (yes, no) = (ParameterValue.flag(true), ParameterValue.flag(false))
        let sound = Self.sound
        try await expect(sound, ["enabled": yes], .pass, says: "active (running), enabled")
        try await expect(sound.replacing("enabled", with: "static"), ["enabled": yes], .pass)
        try await expect(sound, ["enabled": no], .fail, says: "disabled wanted")
        try await expect(sound, ["active": no], .fail, says: "inactive wanted")
        for state in ["inactive", "failed", "activating", "deactivating"] {
            let lines = sound.replacing("=active", with: "=\(state)")
            try await expect(lines, [:], .fail, says: "active wanted")
            let isDown = state == "inactive" || state == "failed"
            try await expect(lines, ["active": no], isDown ? .pass : .fail)
        }
        for state in ["alias", "generated", "enabled-runtime"] {
            let lines = sound.replacing("=enabled", with: "=\(state)")
            try await expect(lines, ["enabled": no], .fail, says: "disabled wanted")
        }
        try await expect(sound.replacing("=enabled", with: "=static"), ["enabled": no], .unknown)
        for name in ["", "web@*", "we?.service", "[w]eb.service"] {
            try await expect(sound, ["unit": .text(name)], .unknown, says: "no name of one unit")
        }
        try await expect(sound.replacing("=active", with: "=reloading"), [:], .pass)
        for state in ["disabled", "masked"] {
            let lines = sound.replacing("=enabled", with: "=\(state)")
            try await expect(lines, ["enabled": yes], .fail, says: "enabled wanted")
            try await expect(lines, ["enabled": no], .pass)
        }
        try await expect(sound.replacing("=enabled", with: "="), ["enabled": yes], .unknown)
        try await expect(
            sound.replacing("=loaded", with: "=not-found"), [:], .fail, says: "not-found")
    }

    @Test func restartsAreHeldAgainstTheirThresholds() async throws {
        let lines = Self.sound.replacing("NRestarts=0", with: "NRestarts=3")
        try await expect(lines, [:], .warn, says: "restarts_warn, 0")
        try await expect(lines, ["restarts_max": .whole(2)], .fail, says: "restarts_max, 2")
        try await expect(lines, ["restarts_warn": .whole(3)], .pass, says: "restarted 3 times")
        let uncounted = Self.sound.replacing("NRestarts=0\n", with: "")
        try await expect(uncounted, [:], .pass)
        try await expect(uncounted, ["restarts_max": .whole(2)], .unknown, says: "count restarts")
    }

    @Test func withoutSystemdItIsUnknown() async throws {
        try await expect("System has not been booted with systemd", [:], .unknown, exit: 1)
        try await expect("", [:], .unknown)
        try await expect(Self.sound, [:], .unknown, exit: 1)
    }
}

@Suite struct EnvironmentVarsTests {
    private static let file = """
        # DISABLED=1
        ; ALSO=1
        DB_URL="postgres://u:hunter2@db/x"
          EMPTY=
        QUOTED=""
        LONG=a \\
        INNER=b
        SPACED = c
        MANY="one
        WITHIN=d"
        LAST=e \\
        """

    private func names(_ list: String, _ names: String...) -> [String: ParameterValue] {
        ["file": .text("/etc/web.env"), list: .list(names.map { .text($0) })]
    }

    @Test func aFilesNamesAreLookedAt() async throws {
        let root = try CheckRoot()
        try root.place("/etc/web.env", Self.file)
        for row in [
            Row(
                "all there", names("required", "DB_URL", "LONG"), .pass, says: "2 names looked for"),
            Row("missing", names("required", "DB_URL", "KEY"), .fail, says: "has no KEY"),
            Row("empty", names("required", "EMPTY"), .fail, says: "has an empty EMPTY"),
            Row("quoted", names("required", "QUOTED"), .fail, says: "has an empty QUOTED"),
            Row("within a value", names("required", "INNER"), .fail, says: "has no INNER"),
            Row("a comment", names("required", "DISABLED"), .fail),
            Row("with a blank", names("forbidden", "SPACED"), .fail, says: "has SPACED"),
            Row("within quotes", names("required", "WITHIN"), .fail, says: "has no WITHIN"),
            Row("of many lines", names("required", "MANY"), .pass),
            Row("the last one", names("forbidden", "LAST"), .fail, says: "has LAST"),
            Row("recommended", names("recommended", "KEY"), .warn, says: "has no KEY"),
            Row("forbidden", names("forbidden", "DB_URL"), .fail, says: "has DB_URL"),
            Row("not there", names("forbidden", "KEY", "ALSO"), .pass),
            Row("nothing asked", names("required"), .unknown, says: "no name"),
        ] {
            try await root.expect("environment_vars", row)
        }
        let missing = ["file": ParameterValue.text("/none"), "required": .list([.text("A")])]
        try await root.expect("environment_vars", Row("no file", missing, .fail, says: "missing"))
        try root.place("/etc/web.env", String(repeating: "A=1\n", count: 300_000))
        try await root.expect(
            "environment_vars", Row("too large", names("required", "A"), .unknown))
    }

    @Test func eachProcessOfAProgramMustHaveThem() async throws {
        let root = try CheckRoot()
        try root.process(7, "web", user: 0)
        try root.place("/proc/7/environ", "PATH=/bin\u{0}TOKEN=hunter2\u{0}")
        let asked: [String: ParameterValue] = [
            "program": .text("web"), "required": .list([.text("TOKEN")]),
        ]
        try await root.expect("environment_vars", Row("has it", asked, .pass))
        try root.process(8, "web", user: 0)
        try await root.expect("environment_vars", Row("unreadable", asked, .unknown))
        try root.place("/proc/8/environ", "")
        try await root.expect("environment_vars", Row("empty", asked, .fail, says: "has no TOKEN"))
        let forbidden: [String: ParameterValue] = [
            "program": .text("web"), "forbidden": .list([.text("X")]),
        ]
        try await root.expect(
            "environment_vars", Row("nothing seen", forbidden, .unknown, says: "no variable"))
        try root.place("/proc/8/environ", "PATH=/bin\u{0}")
        try await root.expect("environment_vars", Row("lacks it", asked, .fail, says: "process 8"))
        let other = asked.merging(["program": .text("db")]) { $1 }
        try await root.expect("environment_vars", Row("does not run", other, .unknown))
    }

    @Test func valuesAreNeverShown() async throws {
        let root = try CheckRoot()
        try root.place("/etc/web.env", Self.file)
        for list in ["required", "recommended", "forbidden"] {
            let result = try await root.validate(
                "environment_vars", names(list, "DB_URL", "EMPTY", "LONG", "NONE"))
            #expect(!"\(result)".contains("hunter2") && !"\(result)".contains("postgres"))
        }
    }
}
