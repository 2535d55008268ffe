import FleetWire
import HostSnapshots
import HostSteps
import Testing

/// Units, against a program that answers as systemctl(1) does; systemd itself does not run here.
@Suite struct UnitServiceTests {
    private let unit = ServiceControl(unit: "app.service")

    /// `states` are what is-active answers, one a call, the last for ever; verbs are noted.
    private func services(_ root: StepRoot, _ states: String...) throws -> HostServices {
        try root.write("/etc/states", states.joined(separator: "\n") + "\n")
        try root.write(
            "/etc/systemctl",
            """
            #!/bin/sh
            cd "$BELAY_ROOT/etc"
            echo "$1 $2" >> calls
            [ "$1" = is-active ] || exit 0
            state=$(head -n 1 states)
            if [ "$(wc -l < states)" -gt 1 ]; then sed -i 1d states; fi
            echo "$state"
            case $state in active|reloading) exit 0;; missing) exit 4;; *) exit 3;; esac
            """)
        try root.shell("chmod 755 etc/systemctl")
        return HostServices(
            context: root.context, timeout: Milliseconds(2000),
            systemctl: root.path + "/etc/systemctl")
    }

    private func verbs(_ root: StepRoot) -> [String] {
        (root.read("/etc/calls") ?? "").split(separator: "\n").map(String.init)
            .filter { !$0.hasPrefix("is-active") }
    }

    @Test("a stopped unit is started and waited for")
    func start() throws {
        let root = try StepRoot()
        try services(root, "inactive", "activating", "active").start(unit)
        #expect(verbs(root) == ["start app.service"])
        #expect(root.read("/etc/states") == "active\n")
    }

    @Test("a unit that runs is not started again", arguments: ["active", "reloading"])
    func running(_ state: String) throws {
        let root = try StepRoot()
        try services(root, state).start(unit)
        #expect(verbs(root).isEmpty)
    }

    @Test("a unit that systemd is about to start again is stopped all the same")
    func restarting() throws {
        let root = try StepRoot()
        let services = try services(root, "activating", "deactivating", "inactive")
        try services.stop(unit)
        #expect(verbs(root) == ["stop app.service"])
    }

    @Test("a unit that is stopped or failed needs no stop", arguments: ["inactive", "failed"])
    func stopped(_ state: String) throws {
        let root = try StepRoot()
        let services = try services(root, state)
        try services.stop(unit)
        #expect(verbs(root).isEmpty)
        #expect(try !services.isActive(unit))
    }

    /// A program that answers is-enabled and show from files.
    private func enabledServices(_ root: StepRoot, _ word: String, code: Int) throws -> HostServices
    {
        try root.write("/etc/word", word + "\n")
        try root.write(
            "/etc/systemctl",
            """
            #!/bin/sh
            cd "$BELAY_ROOT/etc"
            echo "$@" >> calls
            case $1 in is-enabled) cat word; exit \(code);; show) cat reload;; esac
            """)
        try root.shell("chmod 755 etc/systemctl")
        return HostServices(
            context: root.context, timeout: Milliseconds(2000),
            systemctl: root.path + "/etc/systemctl")
    }

    @Test(
        "whether a unit is enabled is systemd's word",
        arguments: [
            ("enabled", 0, "enabled"), ("static", 0, "static"), ("disabled", 1, "disabled"),
            ("masked", 1, "masked"), ("not-found", 4, "not-found"),
            (
                "Failed to get unit file state for app.service: No such file or directory", 1,
                "not-found"
            ),
        ])
    func enablement(_ word: String, _ code: Int, _ expected: String) throws {
        let root = try StepRoot()
        let services = try enabledServices(root, word, code: code)
        #expect(try services.enablement(unit)?.description == expected)
        let commands = ServiceControl(start: ["/x"], stop: ["/x"], status: ["/x"])
        #expect(try services.enablement(commands) == nil)
    }

    @Test("a unit is enabled, disabled and masked, and unit files are read again")
    func enabling() throws {
        let root = try StepRoot()
        let services = try enabledServices(root, "disabled", code: 1)
        for word in ["enabled", "disabled", "masked", "static"] {
            try services.enable(unit, UnitEnablement(word))
        }
        try services.reload()
        for (answer, expected) in [("yes", true), ("no", false)] {
            try root.write("/etc/reload", answer + "\n")
            #expect(try services.needsReload(unit) == expected)
        }
        let show = "show --property=NeedDaemonReload --value app.service"
        #expect(
            verbs(root) == [
                "enable app.service", "disable app.service", "mask app.service", "daemon-reload",
                show, show,
            ])
    }

    @Test("a unit that does not exist, or a start that never ends in running, fails")
    func failing() throws {
        let root = try StepRoot()
        let missing = try services(root, "missing")
        #expect(throws: (any Error).self) { try missing.isActive(unit) }
        #expect(missing.describe(unit).contains("exited 4"))
        let never = try services(root, "inactive", "failed")
        #expect(throws: (any Error).self) { try never.start(unit) }
    }
}
