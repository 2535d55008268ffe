import ArgumentParser
import FleetWire
import OperatorAPI
import Testing

@testable import belay

@Suite("Arguments")
struct ArgumentTests {
    @Test(
        "every command is understood",
        arguments: [
            "plan p.yaml", "plan p.yaml -o json", "apply p.yaml", "apply p.yaml --auto-approve",
            "apply p.yaml --digest sha256:\(String(repeating: "a", count: 64)) --detach",
            "apply p.yaml --override-quarantine --reason tested", "rollout list -o wide",
            "rollout show", "rollout show r-1 -o yaml", "rollout watch r-1",
            "rollout watch -o json", "rollout why r-1 --host a-1", "rollout pause r-1",
            "rollout resume r-1 --reason x", "rollout abort r-1", "rollout retry r-1",
            "rollout retry r-1 --host a-1 --host b-1", "rollout skip r-1 --host a-1 --reason gone",
            "rollout promote r-1", "rollout approve r-1", "rollout rollback r-1",
            "rollout report r-1 -f html --output r.html", "rollout history r-1",
            "rollback r-1", "rollback --host a-1 --scope component=release",
            "rollback r-1 --wave canary --scope data --fast --include-later --reason x",
            "rollback --host a-1 --to 20261124T230501Z-1 --detach",
            "point create --host a-1 --plan p.yaml", "point list", "point list --hosts zone=a",
            "point create --all --name before-upgrade --reason x --reread --max-parallel 4",
            "point show p-1 --host a-1", "point verify p-1 --host a-1 --deep",
            "point verify --name before-upgrade --all", "point diff p-1 --host a-1 --to p-2",
            "point diff latest --hosts zone=a --scope config -o wide",
            "point restore p-1 --host a-1 --host a-2 --dry-run",
            "point restore --name before-upgrade --all --auto-approve --max-unavailable 10%",
            "point restore p-1 --all --auto-approve --keep-going --scope component=release",
            "point prune --all --dry-run", "point prune p-1 --host a-1 --auto-approve",
            "point prune --hosts zone=a --keep 5 --older-than 30d --bytes 2GiB --within 10m",
            "point repair p-1 --host a-1", "host list",
            "host list --selector zone=a", "host show a-1", "host label a-1 zone=b old-",
            "host revoke a-1 --reason stolen", "token create", "token list", "token revoke t1",
            "token create --lifetime 2h --uses 6 --label zone=a --label app=x --host a-1",
            "token access create ana --role operator --lifetime 90d", "token access list",
            "token access revoke t1", "events", "events --follow -o json",
            "events --after 7 --stream fleet --limit 10", "audit verify", "lint p.yaml",
            "checklist show", "checklist show r-1 -o wide", "checklist start r-1 backup",
            "checklist done r-1 backup --revision 3 -o json",
            "checklist fail r-1 backup --reason full", "checklist skip r-1 backup --reason old",
            "lint --schema",
            "quarantine list", "apply p.yaml --queue --auto-approve",
            "rollout reject r-1 --reason tested", "rollout abort r-1 --roll-back",
            "rollback r-1 --across-point-of-no-return --reason tested",
            "quarantine remove \(String(repeating: "a", count: 64)) --reason tested", "status",
            "completion bash", "completion zsh", "completion fish",
        ])
    func understood(line: String) throws {
        _ = try Belay.parseAsRoot(line.split(separator: " ").map(String.init))
    }

    @Test(
        "what makes no sense is refused as usage",
        arguments: [
            "plan", "apply", "apply p.yaml --digest abc", "apply p.yaml --override-quarantine",
            "checklist start r-1", "checklist fail r-1 backup", "checklist skip r-1 backup",
            "rollout reject r-1", "rollback r-1 --across-point-of-no-return",
            "quarantine remove \(String(repeating: "a", count: 64))",
            "rollout pause", "rollout skip r-1 --host a-1", "rollout show ../etc", "rollback",
            "rollback r-1 --scope everything", "rollback r-1 --to p-1",
            "point list --host a --hosts b", "point list --all --hosts b", "point create",
            "point show --host a", "point show p-1", "point show p-1 --name n --host a",
            "point verify p-1", "point diff --all", "point restore p-1",
            "point restore --all", "point restore p-1 --all --max-unavailable 0",
            "point restore p-1 --all --max-parallel 0", "point prune", "point prune --all --keep 0",
            "point prune p-1 --host a --keep 1", "point list --within 5",
            "host label a-1 zone", "token create --uses 0",
            "token create --lifetime 5", "token access create ana --role king",
            "events -o yaml", "rollout watch -o yaml", "completion tcsh", "nonsense",
            "status -o xml", "lint", "lint p.yaml --schema",
        ])
    func refused(line: String) async {
        let arguments = line.split(separator: " ").map(String.init)
        #expect(throws: (any Error).self) { _ = try Belay.parseAsRoot(arguments) }
        #expect(await Main.run(arguments) == .usage)
    }

    @Test(
        "an unknown command is named with the nearest that there is",
        arguments: [
            ("tokn list", "there is no command `belay tokn`", "did you mean `belay token`?"),
            ("host lst", "there is no command `belay host lst`", "did you mean `belay host list`?"),
            ("top", "there is no command `belay top`", "`belay --help` shows what there is"),
            ("host show", "belay host show: missing expected argument '<host>'", "--help` shows"),
        ])
    func unknownCommand(line: String, message: String, remedy: String) throws {
        let arguments = line.split(separator: " ").map(String.init)
        do {
            _ = try Belay.parseAsRoot(arguments)
            Issue.record("\(line) was understood")
        } catch {
            let failure = UsageFailure.failure(for: error, arguments)
            #expect(failure.status == .usage)
            #expect(failure.message == message)
            #expect(failure.remedy?.contains(remedy) == true)
        }
    }

    @Test("JSON errors are asked for by -o json in any spelling")
    func wantsJSON() {
        for line in [["a", "-o", "json"], ["-ojson"], ["--output=json"], ["--output", "json"]] {
            #expect(FailureText.wantsJSON(line))
        }
        for line in [["a", "-o", "table"], ["json"], ["--", "-o", "json"], ["-o"]] {
            #expect(!FailureText.wantsJSON(line))
        }
    }

    @Test("labels are set and removed")
    func labels() throws {
        let arguments = ["host", "label", "a-1", "zone=b", "note=a=b", "old-", "empty="]
        let command = try #require(
            try Belay.parseAsRoot(arguments) as? HostCommand.Label)
        let change = try command.change()
        #expect(change.set == ["zone": "b", "note": "a=b", "empty": ""])
        #expect(change.remove == ["old"])
    }

    @Test("completion scripts know the commands", arguments: ["bash", "zsh", "fish"])
    func completion(shell: String) throws {
        let script = Belay.completionScript(for: CompletionShell(rawValue: shell)!)
        #expect(script.contains("rollout"))
        #expect(script.contains("quarantine"))
    }
}
