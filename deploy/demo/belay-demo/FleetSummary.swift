/// What is said of the fleet at the end.
struct FleetSummary {
    let fleet: DemoFleet

    /// What coordinator and agents hold in memory.
    func printMemory() {
        let agents = fleet.hosts.map { host in
            "\(host.id) \(Self.mebibytes(host.agent))"
        }
        Narrator.line(
            "  memory: coordinator \(Self.mebibytes(fleet.coordinator.process)); "
                + "agents \(agents.joined(separator: ", "))")
    }

    /// How to go on with a fleet that was left running.
    func printHowTo() {
        Narrator.title("The fleet runs on; try it")
        for name in ["BELAY_ADDR", "BELAY_TOKEN", "BELAY_CACERT"] {
            Narrator.line("  export \(name)=\(fleet.cli.environment[name] ?? "")")
        }
        Narrator.line("  alias belay=\(fleet.layout.program("belay"))")
        for command in [
            "belay host list", "belay rollout list", "belay plan \(fleet.plan("registry-2"))",
            "belay apply \(fleet.plan("registry-2"))", "belay events --follow",
            "belay point list --host \(fleet.hosts[0].id)",
            "curl http://127.0.0.1:\(fleet.hosts[0].port)/healthz",
        ] {
            Narrator.line("  \(command)")
        }
        Narrator.line("  make demo-stop     stops all of it")
    }

    private static func mebibytes(_ process: ChildProcess?) -> String {
        process?.residentKiB.map { "\($0 / 1024) MiB" } ?? "not running"
    }
}
