import FleetWire
import OperatorAPI
import Validation

/// One request for checks to many hosts: sends it, tells results on stderr as they come, gathers the
/// ends of all parts.
enum CheckSession {
    /// The end of each host's part, by host.
    static func ask(
        _ wanted: FleetCheckRequest, to attempt: String
    ) async throws -> [FleetCheckAnswer] {
        try await APIClient.with(silence: APIClient.Limits.answersSilence) { client in
            var ends: [FleetCheckAnswer] = []
            var found: [HostID: [CheckResult]] = [:]
            var count = 0
            let console = Console.error
            defer { if console.isTerminal { console.write("\r\u{1B}[K") } }
            try await client.answers("/v1/checks", wanted, to: attempt) {
                (answer: FleetCheckAnswer) in
                if let result = answer.found {
                    count += 1
                    found[answer.host, default: []].append(result)
                    tell(answer.host, result, console)
                } else {
                    // What a host said before it went away stands.
                    var answer = answer
                    answer.results = answer.results ?? found[answer.host]
                    ends.append(answer)
                }
                guard console.isTerminal else { return }
                console.write(
                    "\r\(count) results, \(ends.count) of \(answer.hosts) hosts done\u{1B}[K")
            }
            guard let expected = ends.first?.hosts, ends.count >= expected else {
                throw CommandFailure(
                    .unreachable,
                    "\(attempt): the coordinator stopped answering after "
                        + QuantityText.count(ends.count, "host"),
                    remedy: "`belay status`, then try again")
            }
            return ends.sorted { $0.host < $1.host }
        }
    }

    /// What did not pass is told at once; a terminal counts the rest.
    private static func tell(_ host: HostID, _ result: CheckResult, _ console: Console) {
        guard console.isTerminal, result.status == .fail || result.status == .unknown else {
            return
        }
        let word = console.style.paint(result.status.word, result.status.role)
        console.write("\r\u{1B}[K")
        console.line("\(host) \(word) \(result.name.oneLine): \(result.measured.oneLine)")
    }
}
