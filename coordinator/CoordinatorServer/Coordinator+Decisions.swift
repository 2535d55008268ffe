import FleetWire
import OperatorAPI
import RolloutChecklist
import RolloutCore
import RolloutPlan

extension Coordinator {
    /// True for what is judged before it enters the journal, see `refusal(of:)`.
    static func canBeRefused(_ content: Input.Content) -> Bool {
        switch content {
        case .rollout(_, .created), .rollout(_, .command), .rollout(_, .admitted): true
        case .rollout: false
        case .fleet(.strayReport), .fleet(.started), .fleet(.quarantined),
            .fleet(.generationRaised), .fleet(.pointsAnswered), .fleet(.pointsEnded),
            .fleet(.troubleFound), .fleet(.troubleEnded):
            false
        case .fleet: true
        }
    }

    /// Why an input is not taken, by the state that all inputs before it have left.
    func refusal(of content: Input.Content) -> (any Error)? {
        switch content {
        case .fleet(let event): refusal(of: event)
        case .rollout(let id, .created(let definition, _, _, _)):
            isKnown(id)
                ? APIFailure(code: "conflict", message: "there is a rollout \(id) already")
                : refusal(
                    ofTouching: Set(definition.plan.hosts.map(\.id)), queued: definition.isQueued)
        case .rollout(let id, .admitted): refusal(ofAdmitting: id)
        case .rollout(let id, .command(let command, let by, let reason, _)):
            refusal(of: command, by: by, reason: reason, id)
        case .rollout(let id, _): rollouts[id] == nil ? Self.unknown(id) : nil
        }
    }

    private func refusal(of event: FleetEvent) -> (any Error)? {
        switch event {
        case .enrolled(let host, _, _, let token, let key):
            return registry.refusal(tokenID: token, host: host, key: key, now: clock())
        case .renewed(let host, _, _), .labelled(let host, _), .revoked(let host, _):
            guard let known = registry.hosts[host] else { return Self.unknown(host) }
            guard let reason = known.revoked else { return nil }
            return APIFailure(
                code: "conflict", message: "host \(host) was revoked: \(reason)",
                remedy: "enrol it again with a new token")
        case .tokenRevoked(let id) where registry.tokens[id] == nil:
            return APIFailure(code: "not_found", message: "there is no enrolment token \(id)")
        case .accessRevoked(let id):
            return refusal(ofRevoking: id)
        case .unquarantined(let digest, _) where registry.quarantine[digest] == nil:
            return APIFailure(code: "not_found", message: "\(digest) is not in quarantine")
        case .pointsOrdered(let order): return refusal(of: order)
        default: return nil
        }
    }

    private func refusal(ofRevoking id: String) -> APIFailure? {
        guard let going = registry.access[id] else {
            return APIFailure(code: "not_found", message: "there is no API token \(id)")
        }
        let admins = registry.access.values.filter {
            $0.view.role == .admin && $0.view.expires == nil
        }
        guard going.view.role == .admin, going.view.expires == nil, admins.count == 1 else {
            return nil
        }
        return APIFailure(
            code: "conflict", message: "\(id) is the last admin token that does not expire",
            remedy: "make another one first: `belay token access create NAME --role admin`")
    }

    static func unknown(_ host: HostID) -> APIFailure {
        APIFailure(
            code: "not_found", message: "there is no host \(host)",
            remedy: "`belay host list` shows all")
    }

    private func refusal(
        of command: OperatorCommand, by: String, reason: String?, _ id: RolloutID
    ) -> APIFailure? {
        guard let running = rollouts[id] else { return Self.unknown(id) }
        if case .skip = command, reason?.isEmpty ?? true {
            return APIFailure(
                code: "invalid", message: "a host is skipped only with a reason",
                remedy: "add --reason")
        }
        if case .checklist(let change) = command {
            return running.machine.refusal(of: change, reason: reason).map {
                APIFailure(code: $0.kind.code, message: $0.message)
            }
        }
        if let why = running.machine.refusal(of: command, by: by, reason: reason) {
            return APIFailure(code: "conflict", message: why)
        }
        switch command {
        case .rollback(let selection): return refusal(of: selection, id)
        case .retry(let hosts):
            return conflict(Set(hosts.isEmpty ? changedOrFailed(id) : hosts), besides: id)
        case .approve, .reject, .pause, .resume, .promote, .abort, .skip, .checklist:
            return nil
        }
    }

    private func changedOrFailed(_ id: RolloutID) -> [HostID] {
        let hosts = rollouts[id]?.machine.view(now: clock())?.hosts ?? []
        return hosts.filter { $0.changed || $0.state == .failed }.map(\.id)
    }

    /// Which hosts a rollback takes back; those that the rollout changed and has not taken back.
    func hosts(of selection: RollbackSelection, in id: RolloutID) -> [HostID] {
        let changed = changedHosts(of: id)
        let view = rollouts[id]?.machine.view(now: clock())
        return (view?.hosts ?? []).filter { host in
            guard changed.contains(host.id) else { return false }
            return switch selection.hosts {
            case .all: true
            case .wave(let name): host.wave == name
            case .named(let names): names.contains(host.id)
            }
        }.map(\.id)
    }

    /// Hosts on which something of a rollout still stands.
    ///
    /// What a rollout changed is also gone where an earlier one was taken back after it, with
    /// `include_later`: its rollback points are of a state that is no more.
    func changedHosts(of id: RolloutID) -> Set<HostID> {
        var since = footprint(of: id).changed
        for earlier in order.prefix(while: { $0 != id }) where !since.isEmpty {
            for (host, moment) in footprint(of: earlier).back {
                if let changed = since[host], changed < moment { since[host] = nil }
            }
        }
        return Set(since.keys)
    }

    private func footprint(of id: RolloutID) -> Footprint {
        ended[id]?.footprint ?? Footprint(rollouts[id]?.machine.view(now: clock())?.hosts ?? [])
    }

    /// Why no rollout may begin on these hosts now, or with `queued` wait for them; nil if one may.
    func refusal(ofTouching hosts: Set<HostID>, queued: Bool = false) -> APIFailure? {
        staleness(hosts) ?? (queued ? nil : conflict(hosts, besides: nil))
    }

    /// The selection without hosts on which nothing of the rollout stands any more. Throws
    /// `APIFailure` when that leaves none.
    func narrowed(
        _ selection: RollbackSelection, in id: RolloutID
    ) throws -> RollbackSelection {
        let standing = hosts(of: selection, in: id)
        let gone = Set(footprint(of: id).changed.keys).subtracting(changedHosts(of: id))
        guard !gone.isEmpty else { return selection }
        guard !standing.isEmpty else {
            throw APIFailure(
                code: "conflict",
                message: "nothing of \(id) stands on these hosts any more: an earlier rollout was "
                    + "taken back after it",
                remedy: "`belay rollout list` shows what was taken back; `belay rollback --host "
                    + "HOST` takes back the newest change that stands")
        }
        var narrowed = selection
        narrowed.hosts = .named(standing)
        return narrowed
    }

    private func refusal(of selection: RollbackSelection, _ id: RolloutID) -> APIFailure? {
        let wanted = Set(hosts(of: selection, in: id))
        if let held = conflict(wanted, besides: id) { return held }
        guard !selection.includeLater, let at = order.firstIndex(of: id) else { return nil }
        let later = order[(at + 1)...].filter { !changedHosts(of: $0).isDisjoint(with: wanted) }
        guard !later.isEmpty else { return nil }
        return APIFailure(
            code: "conflict",
            message: "later rollouts changed the same hosts: "
                + later.map(\.rawValue).joined(separator: ", "),
            remedy: "roll those back first, or add --include-later to undo them with it")
    }

    /// The refusal that another rollout or a restore holds some of these hosts, or with `besides` nil
    /// that a queued rollout waits for them; nil if none does.
    func conflict(_ wanted: Set<HostID>, besides: RolloutID?) -> APIFailure? {
        if let restoring = restoreConflict(wanted) { return restoring }
        for id in order where id != besides {
            guard let machine = rollouts[id]?.machine else { continue }
            let isWaiting = machine.isQueued && besides == nil
            let held = isWaiting ? machine.planHosts : machine.heldHosts
            let shared = held.filter(wanted.contains).sorted()
            guard let first = shared.first else { continue }
            return APIFailure(
                code: "conflict",
                message:
                    "rollout \(id) \(isWaiting ? "waits for" : "holds") \(shared.count) of the "
                    + "hosts (\(first)" + (shared.count > 1 ? ", …)" : ")"),
                remedy: "wait for it (`belay rollout watch \(id)`), end it "
                    + "(`belay rollout abort \(id)`)"
                    + (besides == nil ? ", or add --queue to begin after it" : ""))
        }
        return nil
    }
}

extension ChecklistRefusal.Kind {
    /// The code of the API.
    fileprivate var code: String {
        switch self {
        case .unknownItem: "not_found"
        case .conflict: "conflict"
        case .refused: "invalid"
        }
    }
}
