import FleetTransport
import FleetWire
import Logging
import RolloutCore

/// The newest report of a host that was counted, and the journal's sequence number of it.
struct ReportCount: Sendable, Codable {
    var number: UInt64 = 0
    var at: UInt64 = 0
}

extension Coordinator {
    /// Counts a host's report, unless the host was enrolled anew after it.
    func count(_ number: UInt64, of host: HostID, at sequence: UInt64) {
        guard sequence >= enrolledAt[host] ?? 0 else { return }
        let known = reports[host] ?? ReportCount()
        reports[host] = ReportCount(
            number: max(known.number, number), at: max(known.at, sequence))
    }

    /// The newest report of a host that is durable; 0 if there is none.
    func lastReport(of host: HostID) -> UInt64 { reports[host]?.number ?? 0 }

    /// True if nothing is missing before report `number`: it is the next one, or the host's first
    /// since it was enrolled or since an operator raised the generation, because what it reported
    /// before that may stand in a journal that is lost.
    private func follows(_ number: UInt64, of host: HostID) -> Bool {
        let known = reports[host] ?? ReportCount()
        return number == known.number + 1
            || number > known.number && known.at < max(raisedAt, enrolledAt[host] ?? 0)
    }

    /// True for a report that was already counted; agents send until they are acknowledged, and
    /// two connections of one host may overlap. `seen` holds what the batch has so far.
    func isRepeated(_ content: Input.Content, _ seen: inout [HostID: UInt64]) -> Bool {
        let arrived: (HostID, UInt64)
        switch content {
        case .rollout(_, .reported(let host, let report, _)): arrived = (host, report.sequence)
        case .fleet(.strayReport(let host, let sequence, _)): arrived = (host, sequence)
        case .fleet(.enrolled(let host, _, _, _, _)):
            seen[host] = 0
            return false
        case .fleet, .rollout: return false
        }
        let (host, sequence) = arrived
        let isNext = seen[host].map { sequence == $0 + 1 } ?? follows(sequence, of: host)
        if isNext { seen[host] = sequence }
        return !isNext
    }

    /// A report is acknowledged once it is durable, and counted once however often it comes. One
    /// that is more than the host's allowance ends the session: not being acknowledged it comes
    /// again, and is taken then.
    func take(_ report: TransactionReport, bytes: Int, _ session: AgentSession) async throws {
        let host = session.host
        if follows(report.sequence, of: host) {
            guard isAllowed(bytes, of: host) else {
                session.close(
                    farewell: Farewell(
                        reason: "this host reports more than the journal can keep",
                        retryAfter: CoordinatorLimits.reportPause))
                return
            }
            try await keep(report, of: host)
        } else if report.sequence > lastReport(of: host) {
            let missing = lastReport(of: host) + 1
            logger.warning(
                "reports are missing; the host must send them again",
                metadata: [
                    "host": "\(host)", "missing": "\(missing)", "got": "\(report.sequence)",
                ])
            session.close(
                farewell: Farewell(reason: "report \(missing) is missing", retryAfter: .seconds(1)))
            return
        }
        session.post(.acknowledge, Acknowledgement(upTo: lastReport(of: host)))
    }

    /// True if the host may have so much more kept. Says so in the log when it begins to be too much.
    private func isAllowed(_ bytes: Int, of host: HostID) -> Bool {
        let cost = Double(max(bytes, CoordinatorLimits.reportBytesMin))
        if reportAllowance[host, default: Allowance()].take(.reports, cost, now: clock()) {
            overReporting.remove(host)
            return true
        }
        if overReporting.insert(host).inserted {
            logger.error(
                "a host reports more than the journal can keep; it is slowed down",
                metadata: ["host": "\(host)", "remedy": "look at what its agent does"])
        }
        return false
    }

    private func keep(_ report: TransactionReport, of host: HostID) async throws {
        let actor = "host:\(host)"
        if isKnown(report.rollout) {
            try await submit(
                .rollout(report.rollout, .reported(host, report, at: clock())), actor: actor)
        } else {
            logger.warning(
                "report on an unknown rollout",
                metadata: ["host": "\(host)", "rollout": "\(report.rollout)"])
            try await submit(
                .fleet(
                    .strayReport(host: host, sequence: report.sequence, rollout: report.rollout)),
                actor: actor)
        }
    }
}
