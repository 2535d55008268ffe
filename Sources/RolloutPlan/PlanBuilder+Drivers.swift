import FleetWire

extension PlanBuilder {
    /// The driver of a component that names one of the drivers that run programs or take snapshots;
    /// nil for the others.
    func programDriver(_ value: PlacedValue) -> ComponentDriver? {
        if let package = value["package"] {
            return .package(
                PackageComponent(
                    name: package["name"]?.text ?? "", keep: package["keep"]?.boolean ?? false,
                    repository: package["repository"]?.text, timeout: package["timeout"]?.span))
        }
        if let postgres = value["postgres"] {
            return .postgres(
                PostgresComponent(
                    database: postgres["database"]?.text ?? "", host: postgres["host"]?.text,
                    port: postgres["port"]?.integer, user: postgres["user"]?.text,
                    passfile: postgres["passfile"]?.text, service: postgres["service"]?.text,
                    account: postgres["account"]?.text, programs: postgres["programs"]?.text,
                    timeout: postgres["timeout"]?.span))
        }
        if let btrfs = value["btrfs"] {
            return .btrfs(
                BtrfsComponent(
                    path: btrfs["path"]?.text ?? "", data: btrfs["data"]?.boolean ?? false))
        }
        guard let command = value["command"] else { return nil }
        return .command(
            CommandComponent(
                capture: command["capture"]?.texts ?? [], restore: command["restore"]?.texts ?? [],
                verify: command["verify"]?.texts, remove: command["remove"]?.texts,
                env: command["env"]?.textsByName ?? [:], timeout: command["timeout"]?.span,
                bytesMax: command["bytes_max"]?.size, data: command["data"]?.boolean ?? false))
    }
}
