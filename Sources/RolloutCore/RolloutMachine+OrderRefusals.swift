import FleetWire

/// Orders that hosts refuse to carry out.
extension RolloutMachine {
    /// A host refused an order. Only the order that it is under counts: an older one that comes late
    /// moves nothing.
    mutating func hearRefusal(
        _ refusal: Refusal, of id: HostID, _ verb: OrderVerb, attempt: Int
    ) {
        guard let host = index[id.rawValue] else { return }
        let word = verb == .rollback ? "roll back" : verb.rawValue
        guard hosts[host].open?.verb == verb, hosts[host].attempt == attempt else {
            note("ignored that it refuses to \(word): it is under another order", host: host)
            return
        }
        let why = "refuses to \(word): \(refusal.reason)"
        let remedy = refusal.remedy.map { "; \($0)" } ?? ""
        guard !Self.passes(refusal) else {
            note("\(why)\(remedy); it is asked again", level: .warning, host: host)
            change(host) { [now] in
                $0.refusal = PassingRefusal(
                    againAt: now + RolloutLimit.askAgainAfter, why: why + remedy)
            }
            return
        }
        note(why + remedy, level: .error, actor: "host:\(id)", host: host)
        fail(host, at: verb, why + remedy, isPastReturn: refusal.code == "past_return")
    }

    /// True for what is no fault of the order and ends by itself or by somebody's hand.
    private static func passes(_ refusal: Refusal) -> Bool {
        switch refusal.code {
        case "journal_unwritable", "busy", "stale_generation", "stale_attempt": true
        default: false
        }
    }

    private mutating func fail(_ host: Int, at verb: OrderVerb, _ why: String, isPastReturn: Bool) {
        switch verb {
        case .prepare, .validate, .commit:
            close(host)
            lose(host, as: .failed, why)
        case .migrate:
            // What is refused is not begun; a host that told of a step before goes back.
            if hosts[host].progress.changed { return failChanged(host, why) }
            close(host)
            change(host) { $0.touched = false }
            lose(host, as: .failed, why)
        case .confirm: failChanged(host, why)
        case .rollback where isPastReturn:
            // It went past the point of no return before the order reached it.
            change(host) { $0.pastReturn = $0.pastReturn ?? $0.progress.step ?? "unknown" }
            _ = holdsPastReturn(host)
            if pass?.left.contains(host) == false { pass?.left.append(host) }
            guard hosts[host].kept else { return lose(host, as: .failed, why) }
            move(host, to: hosts[host].progress.stage == .finalization ? .committed : .soaking)
        case .rollback:
            close(host)
            change(host) { $0.undo = false }
            lose(host, as: .rollbackFailed, why)
        case .release: close(host)
        }
    }

    private mutating func failChanged(_ host: Int, _ why: String) {
        lose(host, as: .failed, why)
        if hosts[host].open?.verb != .rollback { undoAlone(host, why: why) }
    }

    /// Gives orders again that were refused for what passes.
    mutating func askAgain(_ due: [Int]) {
        for host in due {
            guard let moment = hosts[host].refusal?.againAt, moment <= now else { continue }
            change(host) { $0.refusal = nil }
            give(host)
        }
    }
}
