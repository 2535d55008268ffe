package import FleetWire
import RolloutPlan

/// The first host that goes shows that the way back works before any other goes.
struct Rehearsal: Codable, Hashable, Sendable {
    /// How far it is.
    enum Phase: String, Codable, Hashable, Sendable {
        /// It goes forward. → kept, or the next host rehearses
        case forward
        /// It is confirmed and waits to be taken back. → back, or the next host rehearses
        case kept
        /// It is being taken back. → comparing, failed, or the next host rehearses
        case back
        /// It is compared with its point. → passed, failed
        case comparing
        /// It went back and nothing differs. It goes forward again like all others.
        case passed
        /// It did not get back, or not to what it was. → another host rehearses
        case failed
    }
    var host: Int
    var phase = Phase.forward
    var since: Timestamp
    /// When the comparison must have been answered.
    var deadline: Timestamp?
    var restoreTook: Milliseconds?
    var detail = "goes forward"
}

extension RolloutMachine {
    /// A step that cannot be taken back cannot be rehearsed.
    var rehearses: Bool {
        guard let plan else { return false }
        return plan.pace.rehearses && plan.canComeBack
    }

    /// True while no other host may go.
    var isRehearsing: Bool {
        switch rehearsal?.phase {
        case .forward, .kept, .back, .comparing: true
        case .passed, .failed, nil: false
        }
    }

    mutating func beginRehearsal(_ host: Int) {
        rehearsal = Rehearsal(host: host, since: now)
        note("rehearses: it goes forward, back, and forward again before any other", host: host)
    }

    /// Takes the rehearsal on, and ends it where its host went another way.
    mutating func rehearse(in number: Int) {
        guard let rehearsal else { return }
        let record = hosts[rehearsal.host]
        switch (rehearsal.phase, record.state) {
        case (.forward, .migrating), (.forward, .verifying), (.back, .rollingBack): break
        case (.forward, .soaking), (.kept, .soaking):
            if rehearsal.phase == .forward { enter(.kept, "is confirmed and is taken back next") }
            if record.connected, hasRoom(for: rehearsal.host) { goBackInRehearsal() }
        case (.back, .rollbackFailed):
            failRehearsal(number, record.progress.failure ?? "could not be taken back")
        case (.comparing, .rolledBack):
            if let deadline = rehearsal.deadline, deadline <= now {
                failRehearsal(
                    number,
                    "was not compared with its rollback point within "
                        + limits.stageDeadline.text)
            } else if rehearsal.deadline == nil {
                failRehearsal(number, rehearsal.detail)
            }
        case (.forward, _), (.kept, _), (.back, _), (.comparing, _), (.failed, _): startOver()
        case (.passed, _): break
        }
    }

    private mutating func enter(_ phase: Rehearsal.Phase, _ detail: String) {
        rehearsal?.phase = phase
        rehearsal?.detail = detail
        rehearsal?.since = now
    }

    /// The host fell out; the next one that goes rehearses.
    private mutating func startOver() {
        rehearsal = nil
        note("the rehearsal came to nothing; the next host that goes rehearses")
    }

    /// The rollout ended first.
    mutating func endRehearsal() {
        guard isRehearsing else { return }
        enter(.failed, "did not get through its rehearsal before the rollout ended")
        rehearsal?.deadline = nil
    }

    private mutating func goBackInRehearsal() {
        guard let host = rehearsal?.host else { return }
        enter(.back, "is being taken back")
        orderRollback(
            host, scope: .full, point: nil, why: "rehearsal of the way back, nothing went wrong")
    }

    private mutating func failRehearsal(_ number: Int, _ why: String) {
        guard let host = rehearsal?.host else { return }
        enter(.failed, why)
        rehearsal?.deadline = nil
        change(host) { $0.progress.failure = "rehearsal: \(why)" }
        failWave(number, "the rehearsal on \(hosts[host].id) failed: it \(why)")
    }

    // MARK: - Events

    /// The host says that it is back.
    mutating func hearBackInRehearsal(_ host: Int, took: Milliseconds?) {
        guard rehearsal?.host == host, rehearsal?.phase == .back,
            state == .running || state == .paused
        else { return }
        rehearsal?.restoreTook = took
        enter(.comparing, "is compared with its rollback point")
        guard let point = hosts[host].progress.point else {
            rehearsal?.detail = "told of no rollback point that it could be compared with"
            return
        }
        let deadline = now + limits.stageDeadline
        rehearsal?.deadline = deadline
        wake(by: deadline)
        effects.append(.compare(hosts[host].id, point))
    }

    /// A question that may not have left, or that its host was not there for, is asked again.
    mutating func compareAgain(_ host: Int? = nil) {
        guard let rehearsal, rehearsal.phase == .comparing, host == nil || host == rehearsal.host,
            rehearsal.deadline != nil, let point = hosts[rehearsal.host].progress.point
        else { return }
        if host == nil {
            let deadline = now + limits.stageDeadline
            self.rehearsal?.deadline = deadline
        }
        effects.append(.compare(hosts[rehearsal.host].id, point))
    }

    mutating func hear(_ comparison: PointComparison, of id: HostID) {
        guard let rehearsal, rehearsal.phase == .comparing, rehearsal.deadline != nil,
            hosts[rehearsal.host].id == id, hosts[rehearsal.host].state == .rolledBack,
            comparison.point == nil || comparison.point == hosts[rehearsal.host].progress.point
        else {
            note("ignored a comparison of \(id): none is waited for")
            return
        }
        let host = rehearsal.host
        guard comparison.differences == 0 else {
            let detail =
                comparison.differences.map {
                    "differs from its rollback point in \($0 == 1 ? "1 entry" : "\($0) entries"): "
                } ?? "could not be compared with its rollback point: "
            // The wave fails as soon as the rollout runs.
            self.rehearsal?.deadline = nil
            self.rehearsal?.detail = detail + comparison.detail
            note(detail + comparison.detail, level: .error, host: host)
            return
        }
        enter(.passed, "went back, and nothing differs from its rollback point")
        self.rehearsal?.deadline = nil
        note(
            "went back\(rehearsal.restoreTook.map { " in \($0.text)" } ?? ""), and nothing differs "
                + "from its rollback point; it goes forward again", host: host)
        move(host, to: .pending)
        prepare(host)
    }

    var rehearsalMoment: Timestamp? {
        state == .running && massLoss == nil ? rehearsal?.deadline : nil
    }

    // MARK: - Seen

    /// What the rollout waits for while it rehearses.
    var rehearsalWhy: WhyView? {
        guard isRehearsing, let rehearsal else { return nil }
        let id = hosts[rehearsal.host].id
        let record = hosts[rehearsal.host]
        let away = record.connected ? "" : "; it is not connected"
        return WhyView(
            waitsFor: "\(id) rehearses the way back: it \(rehearsal.detail)\(away)",
            since: rehearsal.since,
            next: "it goes forward again, and the others follow, if nothing differs then",
            nextAt: rehearsal.deadline ?? record.nextMoment(timing), hosts: [id])
    }

    /// The rehearsal as operators see it.
    var rehearsalView: RolloutView.RehearsalView? {
        rehearsal.map {
            RolloutView.RehearsalView(
                host: hosts[$0.host].id, phase: $0.phase.rawValue, detail: $0.detail,
                restoreTook: $0.restoreTook)
        }
    }
}

extension RolloutView {
    /// The rehearsal of the way back.
    package struct RehearsalView: Codable, Sendable, Hashable {
        /// The host that rehearses.
        package var host: HostID
        /// `forward`, `kept`, `back`, `comparing`, `passed` or `failed`.
        package var phase: String
        /// What it does or what came out, without the host's name.
        package var detail: String
        /// How long its restore took; nil before it is back.
        package var restoreTook: Milliseconds?
        /// A rehearsal of these fields.
        package init(
            host: HostID, phase: String, detail: String, restoreTook: Milliseconds?
        ) {
            self.host = host
            self.phase = phase
            self.detail = detail
            self.restoreTook = restoreTook
        }
    }
}
