import FleetWire
import Testing
import Validation

@Suite struct SystemRequirementsTests {
    @Test(arguments: [
        Row(
            "enough", ["cores_min": .whole(2), "memory_min": .whole(1 << 30)], .pass, says: "2 proc"
        ),
        Row("too few processors", ["cores_min": .whole(3)], .fail, says: "cores_min, 3"),
        Row("few processors", ["cores_warn": .whole(3)], .warn, says: "cores_warn, 3"),
        Row("too little memory", ["memory_min": .whole(1 << 30 + 1)], .fail, says: "memory_min"),
        Row("little memory", ["memory_warn": .whole(1 << 31)], .warn, says: "memory_warn"),
        Row("another machine", ["architecture": .list([.text("vax")])], .fail, says: "vax wanted"),
        Row("no machine is named", ["architecture": .list([])], .fail),
        Row("a new kernel", ["kernel_min": .text("6.9")], .pass, says: "kernel 6.12.1-amd64"),
        Row("an old kernel", ["kernel_min": .text("6.13")], .fail, says: "kernel_min, 6.13"),
        Row("no version", ["kernel_min": .text("new")], .unknown, says: "no version"),
    ])
    func theMachineIsHeldAgainstWhatIsNeeded(_ row: Row) async throws {
        let root = try CheckRoot()
        try root.place("/proc/cpuinfo", "processor\t: 0\nmodel\t: x\n\nprocessor\t: 1\n")
        try root.place("/proc/meminfo", "MemTotal:  1048576 kB\n")
        try root.place("/proc/sys/kernel/osrelease", "6.12.1-amd64\n")
        try await root.expect("system_requirements", row)
    }

    @Test func thisMachineHasAProcessorAndItsOwnArchitecture() async throws {
        let root = try CheckRoot()
        let result = try await root.validate(
            "system_requirements",
            [
                "cores_min": .whole(1), "memory_min": .whole(1),
                "architecture": .list([.text("x86_64"), .text("aarch64")]),
                "kernel_min": .text("3.0"),
            ])
        #expect(result.status == .pass, "\(result)")
    }

    @Test(arguments: [
        ["cores_min": ParameterValue.whole(1)], ["cores_warn": .whole(1)],
        ["memory_min": .whole(1)], ["memory_warn": .whole(1)], ["kernel_min": .text("1")],
    ])
    func whatTheKernelDoesNotTellIsUnknown(_ parameters: [String: ParameterValue]) async throws {
        let root = try CheckRoot()
        for file in ["cpuinfo", "meminfo", "sys/kernel/osrelease"] {
            try root.place("/proc/" + file, "")
        }
        try await root.expect("system_requirements", Row("nothing told", parameters, .unknown))
    }
}

@Suite struct ResourceLimitsTests {
    private static let limits = """
        Limit                     Soft Limit           Hard Limit           Units
        Max processes             100                  200                  processes
        Max open files            1024                 524288               files
        Max msgqueue size         819200               819200               bytes
        """

    private func root() throws -> CheckRoot {
        let root = try CheckRoot()
        try root.process(7, "web", user: 33)
        try root.place("/proc/7/limits", Self.limits)
        try root.process(8, "web", user: 33)
        try root.place(
            "/proc/8/limits",
            Self.limits.replacing(
                "Max open files            1024", with: "Max open files            unlimited"))
        try root.process(9, "dark", user: 0)
        try root.place("/proc/self/limits", Self.limits)
        return root
    }

    @Test(arguments: [
        Row("of the agent", ["nofile_min": .whole(1024)], .pass, says: "the agent: nofile 1024"),
        Row("of each process", ["program": .text("web"), "nproc_min": .whole(100)], .pass),
        Row(
            "one is too low", ["program": .text("web"), "nofile_min": .whole(2000)], .fail,
            says: "nofile 1024 is below nofile_min, 2000"),
        Row("low", ["nproc_warn": .whole(101)], .warn, says: "nproc_warn"),
        Row("too low", ["nproc_min": .whole(101)], .fail, says: "nproc_min"),
        Row("low files", ["nofile_warn": .whole(1025)], .warn, says: "nofile_warn"),
        Row(
            "none runs", ["program": .text("db"), "nofile_min": .whole(1)], .unknown,
            says: "not run"),
        Row("unreadable", ["program": .text("dark"), "nofile_min": .whole(1)], .unknown),
    ])
    func limitsAreHeldAgainstTheirThresholds(_ row: Row) async throws {
        try await root().expect("resource_limits", row)
    }

    @Test func limitsThatTheKernelDoesNotTellAreUnknown() async throws {
        let root = try CheckRoot()
        try root.place("/proc/self/limits", "Limit\nMax open files many\n")
        for name in ["nofile_min", "nproc_min"] {
            try await root.expect("resource_limits", Row(name, [name: .whole(1)], .unknown))
        }
    }

    @Test func theAgentsOwnAreReadFromTheMachine() async throws {
        let result = try await CheckRoot().validate("resource_limits", ["nofile_min": .whole(1)])
        #expect(result.status == .pass, "\(result)")
    }
}

@Suite struct VersionTests {
    @Test(arguments: [
        ("1.2", "1.10"), ("1.0~rc1", "1.0"), ("1.0", "1.0-1"), ("1.0-1", "1.0-1+b1"),
        ("2.0", "1:1.0"), ("1.0a", "1.0+"), ("9.9", "10"), ("1.1.1w-0+deb11u1", "3.0.11-1"),
    ])
    func olderComesFirst(older: String, newer: String) throws {
        let (one, other) = (try #require(VersionText(older)), try #require(VersionText(newer)))
        #expect(one < other && !(other < one) && one != other)
    }

    @Test func spellingsOfOneVersionAreEqual() {
        #expect(VersionText("1.0") == VersionText("1.00") && VersionText("0:1") == VersionText("1"))
        #expect(VersionText("none") == nil && VersionText("") == nil && VersionText("1 2") == nil)
    }

    @Test(
        arguments: [
            ("Python 3.11.2\n", nil, "3.11.2"), ("nginx version: nginx/1.22.1", nil, "1.22.1"),
            ("go version go1.21.3 linux/amd64", "go version go", "1.21.3"),
            ("v20.5.1", nil, "20.5.1"),
            ("psql (PostgreSQL) 15.5 (Debian 15.5-0+deb12u1)", nil, "15.5"),
            ("openjdk version \"17.0.9\" 2023-10-17", nil, "17.0.9"), ("Release 7.", nil, "7"),
        ] as [(String, String?, String)])
    func aVersionIsFoundInWhatProgramsSay(text: String, after: String?, version: String) {
        #expect(VersionText(in: text, after: after)?.description == version)
    }

    @Test func whereThereIsNoneNoneIsFound() {
        #expect(VersionText(in: "no digits") == nil && VersionText(in: "x 1", after: "y") == nil)
    }

    private func script(_ text: String) -> ParameterValue {
        .list(["/bin/sh", "-c", text].map { .text($0) })
    }

    @Test func aProgramsVersionIsHeldAgainstTheRange() async throws {
        let root = try CheckRoot()
        let says = script("echo tool 2.4.1")
        let rows = [
            Row("in range", ["argv": says, "version_min": .text("2.4")], .pass, says: "2.4.1"),
            Row("exact", ["argv": says, "version": .text("2.4.1")], .pass),
            Row("not exact", ["argv": says, "version": .text("2.4")], .fail, says: "2.4 wanted"),
            Row("old", ["argv": says, "version_min": .text("2.5")], .fail, says: "version_min"),
            Row("new", ["argv": says, "version_below": .text("2.4.1")], .fail, says: "not below"),
            Row(
                "oldish", ["argv": says, "version_warn": .text("2.10")], .warn, says: "version_warn"
            ),
            Row("no bound", ["argv": says, "version": .text("new")], .unknown, says: "no version"),
            Row("a letter", ["argv": says, "version_below": .text("v3")], .unknown, says: "digit"),
            Row("no version", ["argv": script("echo hi"), "version": .text("1")], .unknown),
            Row("fails", ["argv": script("echo 1.2; exit 3"), "version": .text("1.2")], .unknown),
            Row("no program", ["argv": .list([.text("/none")]), "version": .text("1")], .unknown),
            Row(
                "behind what", ["argv": says, "version": .text("2.4.1"), "after": .text("kit")],
                .unknown),
        ]
        for row in rows { try await root.expect("runtime_version", row) }
    }

    @Test func aPackageIsHeldAgainstTheRange() async throws {
        let root = try CheckRoot()
        try root.place("/var/lib/dpkg/status", "")
        try root.place(
            "/usr/bin/dpkg-query",
            """
            #!/bin/sh
            for last; do :; done
            case $last in
            nginx) echo "installed 1.22.1-9" ;;
            old) echo "config-files 1.0" ;;
            broken) echo "dpkg-query: error: no database" >&2; exit 2 ;;
            *) echo "dpkg-query: no packages found matching $last" >&2; exit 1 ;;
            esac
            """, mode: 0o755)
        func row(_ name: String, _ bound: String, _ version: String, _ status: CheckStatus) -> Row {
            Row(
                "\(name) \(bound) \(version)", ["name": .text(name), bound: .text(version)], status)
        }
        for row in [
            row("nginx", "version_min", "1.22.1-9", .pass),
            row("nginx", "version", "1.22.1", .fail),
            row("nginx", "version_min", "1.22.1-10", .fail),
            row("nginx", "version_warn", "1.24", .warn), row("old", "version_min", "0.1", .fail),
            row("none", "version_min", "0.1", .fail), row("broken", "version_min", "0.1", .unknown),
            row("-x", "version_min", "0.1", .unknown), row("ngin*", "version_min", "0", .unknown),
        ] {
            try await root.expect("package_version", row)
        }
        try await CheckRoot().expect("package_version", row("nginx", "version", "1", .unknown))
    }
}
