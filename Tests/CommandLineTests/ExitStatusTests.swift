import FleetWire
import Foundation
import OperatorAPI
import RolloutCore
import Testing

@testable import belay

@Suite("Exit codes")
struct ExitStatusTests {
    @Test("the table in the documentation and the enum say the same")
    func table() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../docs/reference/exit-codes.md")
        let rows = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
            .map { $0.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) } }
            .filter { $0.count >= 3 && Int32($0[0]) != nil }
        let documented = rows.map { "\($0[0]) \($0[1])" }
        #expect(documented == ExitStatus.allCases.map { "\($0.rawValue) \($0.meaning)" })
    }

    @Test(
        "an answer's code decides",
        arguments: [
            ("invalid", ExitStatus.invalid), ("unreachable", .unreachable),
            ("not_authorised", .notAuthorised), ("not_found", .notFound), ("conflict", .conflict),
            ("full_disk", .error),
        ])
    func codes(code: String, status: ExitStatus) {
        #expect(ExitStatus(apiCode: code) == status)
    }

    @Test(
        "the rollout's end decides",
        arguments: [
            (RolloutState.succeeded, ExitStatus.done), (.rolledBack, .rolledBack),
            (.rollbackFailed, .rollbackFailed), (.aborted, .aborted),
        ])
    func outcome(state: RolloutState, status: ExitStatus) {
        var view = Samples.running()
        view.state = state
        #expect(ExitStatus(outcomeOf: view) == status)
    }

    @Test(
        "a rollout that goes on has no outcome",
        arguments: [RolloutState.planned, .awaitingApproval, .running, .paused, .rollingBack])
    func goesOn(state: RolloutState) {
        var view = Samples.running()
        view.state = state
        #expect(ExitStatus(outcomeOf: view) == nil)
        #expect(ExitStatus(rollbackOutcomeOf: view) == nil)
    }

    @Test("success with lost hosts is 2, unless an operator left them out")
    func lost() {
        var view = Samples.running()
        view.state = .succeeded
        view.hosts[2].state = .skipped
        #expect(ExitStatus(outcomeOf: view) == .done)
        view.hosts[1].state = .failed
        #expect(ExitStatus(outcomeOf: view) == .hostsFailed)
    }

    @Test("a rollback that was asked for ends with 0, unless a host could not be taken back")
    func rollback() {
        var view = Samples.rolledBack()
        #expect(ExitStatus(rollbackOutcomeOf: view) == .done)
        view.hosts[1].state = .rollbackFailed
        #expect(ExitStatus(rollbackOutcomeOf: view) == .rollbackFailed)
    }
}
