/// Plans for the small service of `TestFleet.skeleton`.
struct TestPlan {
    var name = "app-2"
    var targets = #"{selector: "app=test"}"#
    var waves = ["{name: canary, count: 1, soak: 100ms}"]
    var parallel = 2
    var unavailable = 2
    var budget = "{fleet: 0}"
    var confirmWithin = "20s"
    var coordinatorLost = "hold"
    var version = "2"
    /// The path of an archive that is unpacked before the other steps.
    var artifact: String?
    /// Run after the files were changed; YAML of one step each.
    var extraSteps: [String] = []
    /// Critical checks of the verification stage; YAML of one check each.
    var checks: [String] = []
    var approval = false
    var stageDeadline = "60s"
    /// True if a step is irreversible.
    var pointOfNoReturn = false

    /// A step that writes one line a run to a log outside of all components.
    static func counted(_ name: String, then script: String = "true") -> String {
        """
        {name: \(name), phase: storage, timeout: 60s, run: {shell: "mkdir -p $BELAY_ROOT/var/log; \
        echo \(name) >> $BELAY_ROOT/var/log/steps; \(script)"}}
        """
    }

    static let releaseIs2 = """
        {name: release-is-2, level: critical, timeout: 5s, \
        run: {shell: "grep -q '^2' $BELAY_ROOT/opt/app/release"}}
        """

    var yaml: String {
        let unpack = artifact.map { _ in
            "{name: unpack, phase: storage, artifact: {artifact: app, "
                + "destination: /opt/app/bundle, link: /opt/app/current}}"
        }
        let steps =
            (unpack.map { [$0] } ?? []) + [
                """
                {name: release, phase: configuration, \
                run: {shell: "echo \(version) > $BELAY_ROOT/opt/app/release; \
                touch $BELAY_ROOT/opt/app/added"}}
                """,
                """
                {name: settings, phase: configuration, \
                config: {path: /etc/app/app.conf, template: "version={{ vars.version }}\\nhost={{ host.id }}\\n"}}
                """,
                "{name: fast, phase: flags, flags: {path: /etc/app/flags.json, set: {fast: on}, define: {}}}",
            ] + extraSteps
        let all = checks.isEmpty ? [Self.releaseIs2] : checks
        return """
            belay: 1
            name: \(name)
            targets: \(targets)
            variables: {version: "\(version)"}
            \(artifact.map { "artifacts: {app: {file: \($0)}}" } ?? "artifacts: {}")
            components:
              release: {files: {paths: [/opt/app]}}
              settings: {config: {paths: [/etc/app/app.conf]}}
              flags: {flags: {path: /etc/app/flags.json}, compatible_with: [release, settings]}
            strategy:
              domain: zone
              max_parallel: \(parallel)
              max_unavailable: \(unavailable)
              waves:
            \(waves.map { "    - \($0)" }.joined(separator: "\n"))
            budget: \(budget)
            rollback: {on_exhausted: rollback\(pointOfNoReturn ? ", point_of_no_return: {persons: 1}" : "")}
            confirm_within: \(confirmWithin)
            coordinator_lost: \(coordinatorLost)
            approval: \(approval)
            deadlines: {stage: \(stageDeadline), migration: 60s, unreachable: 20s}
            stages:
              migration:
                steps:
            \(steps.map { "      - \($0)" }.joined(separator: "\n"))
              verification:
                checks:
            \(all.map { "      - \($0)" }.joined(separator: "\n"))

            """
    }
}
