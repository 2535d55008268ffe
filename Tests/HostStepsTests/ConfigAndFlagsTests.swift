import FleetWire
import HostSteps
import Testing

@Suite struct ConfigStepTests {
    private func config(_ template: String, mode: String? = nil) -> StepAction {
        .config(ConfigStep(path: "/etc/app.yaml", template: template, mode: mode))
    }

    @Test func aNewFileGetsItsModeAndASecondRunDoesNothing() async throws {
        let root = try StepRoot()
        #expect(try await root.inspect(config("v: {{ vars.version }}\n")).action == "create")
        let first = try await root.run(config("v: {{ vars.version }}\n", mode: "0604"))
        #expect(first.status == .done)
        #expect(root.read("/etc/app.yaml") == "v: 2\n")
        #expect(try root.shell("stat -c %a etc/app.yaml") == "604\n")
        let again = try await root.run(config("v: {{ vars.version }}\n"))
        #expect(again.message.hasSuffix("is unchanged"))
        #expect(try await root.inspect(config("v: 2\n")).action == "none")
    }

    @Test func modeAndOwnerOfAnExistingFileAreKept() async throws {
        let root = try StepRoot()
        try root.write("/etc/app.yaml", "old")
        try root.shell("chmod 600 etc/app.yaml; chown 12:34 etc/app.yaml 2>/dev/null || true")
        let before = try root.shell("stat -c '%a %u %g' etc/app.yaml")
        #expect(try await root.run(config("new", mode: "0777")).status == .done)
        #expect(try root.shell("stat -c '%a %u %g' etc/app.yaml") == before)
    }

    @Test func whatWasLeftBesideIsClearedAway() async throws {
        let root = try StepRoot()
        try root.write("/etc/app.yaml.belay-new", "half")
        #expect(try await root.run(config("x")).status == .done)
        #expect(try root.names("/etc") == ["app.yaml"])
    }

    @Test func whatStepsLeaveBesideGoesWithoutThemAndNothingElse() throws {
        let root = try StepRoot()
        let artifact = ArtifactStep(artifact: "app", destination: "/srv/app", link: "/srv/now")
        let actions: [StepAction] = [
            .config(ConfigStep(path: "/etc/app.{{ vars.version }}", template: "x", mode: nil)),
            .flags(FlagsStep(path: "/etc/flags.json", set: [:], define: [:])),
            .artifact(artifact),
            .config(ConfigStep(path: "/{{ vars.unknown }}", template: "x", mode: nil)),
        ]
        try root.shell(
            """
            mkdir -p srv/app srv/app.new-belay/part; touch srv/app.new-belay.tar
            ln -s app srv/now; ln -s app srv/now.belay-new
            touch etc/app.2 etc/app.2.belay-new etc/flags.json.belay-new etc/other.belay-new
            """)
        let plan = try root.plan(steps: actions.map { StepSpec(name: "s", action: $0) })
        StepLeftovers(root: root.path, context: root.context).remove(of: plan)
        #expect(try root.names("/etc") == ["app.2", "other.belay-new"])
        #expect(try root.names("/srv") == ["app", "now"])
    }

    @Test func aDiffIsUnifiedAndRedacted() async throws {
        let root = try StepRoot()
        let lines = (1...20).map { "line \($0)" }
        try root.write("/etc/app.yaml", lines.joined(separator: "\n") + "\npassword: old\n")
        var changed = lines
        changed[9] = "line ten"
        let change = try await root.inspect(
            config(changed.joined(separator: "\n") + "\npassword: new\n"))
        #expect(change.action == "modify")
        #expect(
            change.detail == """
                --- /etc/app.yaml
                +++ /etc/app.yaml
                @@ -7,7 +7,7 @@
                 line 7
                 line 8
                 line 9
                -line 10
                +line ten
                 line 11
                 line 12
                 line 13
                """)
    }

    @Test(arguments: ["/etc/../x", "relative", "/etc/link", "/nowhere/x", "/out/x"])
    func otherPlacesAreRefused(_ path: String) async throws {
        let root = try StepRoot()
        try root.shell("touch real; ln -s ../real etc/link; ln -s /tmp out")
        let outcome = try await root.run(
            .config(ConfigStep(path: path, template: "x", mode: nil)))
        #expect(outcome.status == .failed)
        #expect(root.read("/real") == "")
    }

    @Test func aBadModeOrTemplateFailsAndWritesNothing() async throws {
        let root = try StepRoot()
        #expect(try await root.run(config("x", mode: "rw")).status == .failed)
        let outcome = try await root.run(config("{{ vars.versoin }}"))
        #expect(outcome.message.contains("did you mean vars.version?"))
        #expect(try root.names("/etc").isEmpty)
    }
}

@Suite struct FlagsStepTests {
    private static let file = """
        {"$schema": "https://flagd.dev/schema", "other": 1e3, "flags": {
          "z-new": {"state": "ENABLED", "variants": {"on": true, "off": false},
                    "defaultVariant": "off", "targeting": {"if": [1, "on"]}},
          "a-old": {"state": "ENABLED", "variants": {"x": "é", "y": 2}, "defaultVariant": "x"}}}
        """

    private func flags(_ set: [String: String], define: [String: String] = [:]) -> StepAction {
        .flags(FlagsStep(path: "/etc/flags.json", set: set, define: define))
    }

    @Test func defaultsAreSetAndAllElseIsKept() async throws {
        let root = try StepRoot()
        try root.write("/etc/flags.json", Self.file)
        let action = flags(
            ["z-new": "on"],
            define: ["added": "{\"variants\": {\"v2\": 1}, \"defaultVariant\": \"v2\"}"])
        let change = try await root.inspect(action)
        #expect(change.action == "modify")
        #expect(change.detail == "added: added, default v2\nz-new: off -> on")
        #expect(root.read("/etc/flags.json") == Self.file)

        #expect(try await root.run(action).status == .done)
        let text = try #require(root.read("/etc/flags.json"))
        let order = ["$schema", "other\": 1e3", "z-new", "targeting", "a-old", "é", "added"]
        var rest = text[...]
        for word in order {
            let found = try #require(rest.firstRange(of: word), "\(word) is not in its place")
            rest = rest[found.upperBound...]
        }
        #expect(text.contains("\"defaultVariant\": \"on\""))

        let again = try await root.run(action)
        #expect(again.status == .done && again.message.hasSuffix("is unchanged"))
        #expect(root.read("/etc/flags.json") == text)
        #expect(try await root.inspect(action).action == "none")
    }

    @Test(arguments: [
        ("z-mew", "on", "did you mean z-new?"), ("z-new", "maybe", "only on, off"),
    ])
    func anUnknownFlagOrVariantFails(_ flag: String, _ variant: String, _ why: String) async throws
    {
        let root = try StepRoot()
        try root.write("/etc/flags.json", Self.file)
        let outcome = try await root.run(flags([flag: variant]))
        #expect(outcome.status == .failed)
        #expect(outcome.message.contains(why), "\(outcome.message)")
        #expect(root.read("/etc/flags.json") == Self.file)
    }

    @Test(arguments: [
        "", "{", "[]", "{\"flags\": []}", "{\"flags\": {}} x", "{\"flags\": {}, \"flags\": {}}",
        "{\"flags\": {\"a\": 01}}", "{\"flags\": tru}", "{\"flags\": {\"a\\x\": 1}}",
        String(repeating: "[", count: 100_000),
    ])
    func aFileThatIsNoFlagdFileFails(_ text: String) async throws {
        let root = try StepRoot()
        try root.write("/etc/flags.json", text)
        #expect(try await root.run(flags(["a": "on"])).status == .failed)
        #expect(root.read("/etc/flags.json") == text)
    }

    @Test func aMissingFileOrBadDefinitionFails() async throws {
        let root = try StepRoot()
        #expect(try await root.run(flags([:])).message.contains("is missing"))
        try root.write("/etc/flags.json", Self.file)
        for text in ["{}", "x", "{\"variants\": {\"a\": 1}, \"defaultVariant\": \"b\"}"] {
            #expect(try await root.run(flags([:], define: ["n": text])).status == .failed)
        }
    }
}
