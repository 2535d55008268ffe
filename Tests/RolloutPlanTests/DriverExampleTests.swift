import FleetWire
import FoundationEssentials
import RolloutPlan
import Testing

/// The examples of docs/reference/plan.md are parts of plans that load.
struct DriverExampleTests {
    private struct Example {
        var title: String
        var text: String
        /// The key of the plan that it stands under.
        var key: String {
            text.hasPrefix("windows:")
                ? "strategy" : text.hasPrefix("checks:") ? "verification" : "components"
        }
        /// True if it names its key itself.
        var isWhole: Bool { text.hasPrefix("checklist:") }
    }

    private func examples() throws -> [Example] {
        let page = String(
            decoding: try bytes(of: repository + "docs/reference/plan.md"), as: UTF8.self)
        var examples: [Example] = []
        var title = ""
        var lines: [Substring]?
        for line in page.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("#") { title = String(line) }
            if line == "```yaml" {
                lines = []
            } else if line == "```", let block = lines {
                examples.append(Example(title: title, text: block.map { $0 + "\n" }.joined()))
                lines = nil
            } else {
                lines?.append(line)
            }
        }
        return examples
    }

    private func load(
        _ example: String, under key: String = "components"
    ) throws -> (plan: Plan, problems: String) {
        let indented = example.split(separator: "\n").map { "  \($0)\n" }.joined()
        if key == "verification" {
            let text = """
                belay: 1
                name: example
                targets: {selector: app=web}
                stages:
                  migration: {steps: [{name: wait, wait: {span: 1s}}]}
                  verification:
                \(indented.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n"))
                """
            let loading = try PlanLoader.load(bytes: Array(text.utf8), path: "plans/p.yaml")
            return (loading.plan, PlanProblems(loading.warnings).rendered(source: text))
        }
        return try load(whole: "\(key):\n\(indented)")
    }

    private func load(whole example: String) throws -> (plan: Plan, problems: String) {
        let text = """
            belay: 1
            name: example
            targets: {selector: app=web}
            \(example)
            stages:
              migration: {steps: [{name: wait, wait: {span: 1s}}]}
              verification: {checks: [{name: up, http: {url: "http://127.0.0.1:80/"}}]}
            """
        let loading = try PlanLoader.load(bytes: Array(text.utf8), path: "plans/p.yaml")
        return (
            loading.plan, PlanProblems(loading.warnings).rendered(source: text)
        )
    }

    @Test func `each driver has an example that loads without a warning`() throws {
        var drivers: Set<String> = []
        for example in try examples() {
            let (plan, problems) =
                example.isWhole
                ? try load(whole: example.text) : try load(example.text, under: example.key)
            #expect(problems.isEmpty, "\(example.title): \(problems)")
            for component in plan.components { drivers.insert(component.driver.name) }
        }
        #expect(
            drivers == [
                "files", "config", "flags", "service", "package", "postgres", "btrfs", "command",
                "sqlite",
            ])
    }

    @Test func `what a plan says of a driver arrives at the host`() throws {
        let (plan, _) = try load(
            """
            a: {package: {name: "libc6:amd64", keep: true, timeout: 5m}}
            b: {postgres: {database: "a b", host: /run, port: 1, user: u, passfile: /p, timeout: 1h}}
            c: {btrfs: {path: /srv/c, data: true}}
            d: {command: {capture: [a, b], restore: [c], verify: [d], env: {A: "1"}, bytes_max: 1KiB}}
            e: {config: {paths: [/etc/e], strict: true}}
            """)
        #expect(
            plan.components.map(\.driver) == [
                .package(
                    PackageComponent(name: "libc6:amd64", keep: true, timeout: .seconds(300))),
                .postgres(
                    PostgresComponent(
                        database: "a b", host: "/run", port: 1, user: "u", passfile: "/p",
                        timeout: .seconds(3600))),
                .btrfs(BtrfsComponent(path: "/srv/c", data: true)),
                .command(
                    CommandComponent(
                        capture: ["a", "b"], restore: ["c"], verify: ["d"], env: ["A": "1"],
                        bytesMax: ByteCount(1024))),
                .config(paths: ["/etc/e"], strict: true),
            ])
        let scope = RollbackScope.data
        #expect(plan.components.filter(scope.covers).map(\.name.rawValue) == ["b", "c"])
    }
}
