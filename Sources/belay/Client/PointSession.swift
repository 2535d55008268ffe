import FleetWire
import Foundation
import OperatorAPI

/// One request about points to many hosts: sends it, shows progress on stderr, gathers the answers.
enum PointSession {
    /// Asks; gives all answers, by host. `wholly` goes on asking hosts that have more lines than one
    /// answer holds. `isOrder` asks where operators do, for a rehearsal of an order.
    static func ask(
        _ wanted: FleetPointRequest, to attempt: String, wholly: Bool = false,
        isOrder: Bool = false
    ) async throws -> [PointAnswer] {
        let asksAsOperator = isOrder || wanted.request.action == .restore
        let path: Path = asksAsOperator ? "/v1/points" : "/v1/points/query"
        return try await APIClient.with(silence: APIClient.Limits.answersSilence) { client in
            var answers = try await gather(client, path, wanted, to: attempt, tells: false)
            guard wholly else { return answers }
            for index in answers.indices {
                try await client.rest(of: &answers[index], wanted, path, to: attempt)
            }
            return answers
        }
    }

    /// Orders; tells each host's outcome on stderr as it comes. Ctrl-C begins no further host.
    static func order(
        _ wanted: FleetPointRequest, to attempt: String
    ) async throws -> [PointAnswer] {
        try await APIClient.with(silence: APIClient.Limits.answersSilence) { client in
            try await withThrowingTaskGroup(of: [PointAnswer]?.self) { group in
                group.addTask {
                    try await gather(client, "/v1/points", wanted, to: attempt, tells: true)
                }
                group.addTask {
                    for await _ in Interruption.signals() { return nil }
                    return nil
                }
                defer { group.cancelAll() }
                if let first = try await group.next(), let answers = first { return answers }
                Console.error.lines([
                    "stopped; no further host is asked, and those under way finish by themselves",
                    "  see how they ended:  belay events --stream fleet",
                ])
                // Letting go of the connection in good order would take seconds, in which the
                // coordinator begins with the next host.
                exit(ExitStatus.interrupted.rawValue)
            }
        }
    }

    private static func gather(
        _ client: APIClient, _ path: Path, _ wanted: FleetPointRequest, to attempt: String,
        tells: Bool
    ) async throws -> [PointAnswer] {
        var answers: [PointAnswer] = []
        var progress = PointProgressLine(console: .error)
        defer { progress.end() }
        try await client.answers(path, wanted, to: attempt) { (answer: PointAnswer) in
            answers.append(answer)
            progress.end()
            if tells { Console.error.line(PointText.line(answer, style: Console.error.style)) }
            progress.show(answers.count, of: answer.hosts)
        }
        guard let expected = answers.first?.hosts, answers.count >= expected else {
            throw CommandFailure(
                .unreachable,
                "\(attempt): the coordinator stopped answering after "
                    + QuantityText.count(answers.count, "host"),
                remedy: "`belay status`, then look at the hosts before you try again")
        }
        return answers.sorted { $0.host < $1.host }
    }

    /// Says on stderr why hosts have no reply, each reason once.
    static func tell(_ answers: [PointAnswer]) {
        Console.error.lines(PointText.failures(answers, style: Console.error.style))
    }

    /// Says what went wrong and ends with its code; returns if nothing did.
    static func end(_ answers: [PointAnswer]) throws {
        tell(answers)
        let status = ExitStatus(outcomeOf: answers)
        if status != .done { throw EndWith(status: status) }
    }
}

/// `3 of 12 hosts answered`, on a terminal only.
private struct PointProgressLine {
    let console: Console
    private var isShown = false

    init(console: Console) { self.console = console }

    mutating func show(_ done: Int, of total: Int) {
        guard console.isTerminal, done < total else { return }
        console.write("\r\(done) of \(total) hosts answered\u{1B}[K")
        isShown = true
    }

    mutating func end() {
        if isShown { console.write("\r\u{1B}[K") }
        isShown = false
    }
}

extension ExitStatus {
    /// How a command about points ends: a host that is half restored is 10, damage is 6; failures
    /// that all have one reason have its code, others 2. A host that nothing was asked of does not
    /// count: another one is the reason.
    init(outcomeOf answers: [PointAnswer]) {
        guard !answers.contains(where: { $0.failure?.code == "half_restored" }) else {
            self = .rollbackFailed
            return
        }
        let isDamaged = answers.contains {
            $0.reply?.damaged?.isEmpty == false || $0.failure?.code == "damaged"
        }
        guard !isDamaged else {
            self = .gateFailed
            return
        }
        let failures = answers.compactMap(\.failure).filter { $0.code != "not_started" }
        let statuses = Set(failures.map { ExitStatus(pointCode: $0.code) })
        self = statuses.count > 1 ? .hostsFailed : statuses.first ?? .done
    }

    private init(pointCode code: String) {
        switch code {
        case "unreachable": self = .unreachable
        case "not_found": self = .notFound
        case "busy", "conflict", "exists", "stale_generation": self = .conflict
        case "ambiguous", "invalid": self = .invalid
        default: self = .hostsFailed
        }
    }
}
