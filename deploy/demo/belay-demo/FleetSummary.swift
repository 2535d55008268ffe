import Glibc

/// What is said of the fleet at the end.
struct FleetSummary {
    let fleet: DemoFleet

    /// What coordinator and agents hold in memory.
    func printMemory() {
        let agents = fleet.hosts.compactMap { $0.agent?.residentKiB }.map { $0 / 1024 }
        guard let least = agents.min(), let most = agents.max(),
            let coordinator = fleet.coordinator.process?.residentKiB
        else { return }
        Narrator.line(
            "  resident memory (VmRSS, as built here): coordinator \(coordinator / 1024) MiB, "
                + "\(agents.count) agents \(least) to \(most) MiB each")
    }

    /// How to go on with a fleet that was left running.
    func printHowTo() throws {
        let lines = exports
        try TextFile.writePrivate(lines.joined(separator: "\n") + "\n", to: fleet.layout.shell)
        Narrator.title("The fleet runs on: six hosts of release 1.0.0. Try it, in this folder:")
        for line in lines { Narrator.line("  \(line)") }
        Narrator.line("  # the same: . \(fleet.layout.shortened(fleet.layout.shell))")
        Narrator.line("")
        let plan = fleet.layout.shortened(fleet.plan("registry-2"))
        for (command, what) in [
            ("belay host list", "the fleet"),
            ("belay rollout list", "what was done"),
            ("belay plan \(plan)", "what release 2 would change"),
            ("belay apply \(plan)", "roll it out; asks first"),
            ("belay rollback --host registry-a1 --scope flags", "take one part of one host back"),
            ("belay point list --host registry-a1", "its rollback points"),
            ("belay events --follow", "the journal, live"),
            ("curl -s http://127.0.0.1:\(fleet.hosts[0].port)/healthz", "the service itself"),
        ] {
            let pad = String(repeating: " ", count: max(1, 52 - command.count))
            Narrator.line("  \(command)\(pad)# \(what)")
        }
        Narrator.line("  more: docs/guides/demo.md")
        Narrator.line("  make demo-stop" + String(repeating: " ", count: 38) + "# stops all of it")
    }

    private var exports: [String] {
        var lines = ["BELAY_ADDR", "BELAY_TOKEN", "BELAY_CACERT"].map {
            "export \($0)=\(fleet.cli.environment[$0] ?? "")"
        }
        lines.append("export PATH=\(fleet.layout.programs):$PATH")
        return lines
    }
}
