import AgentCore
import FleetWire

/// A host for tests: a machine, and a carrier of effects that answers by what the test planted.
/// What a real host would have on its disk stands in `content` and `guardOrder`.
struct HostUnderTest {
    var machine = HostMachine()
    var now = Timestamp(milliseconds: 1_000_000)
    /// The host's state as the components hold it.
    var content = "old"
    var captured: String?
    var guardOrder: GuardOrder?
    var trace: [String] = []
    var queue: [HostEffect] = []
    var stepsRun: [String] = []
    /// Steps that ran while the guard was armed.
    var guardedSteps: Set<String> = []
    var failing: Set<String> = []
    var refusals: [Refusal] = []
    var sent: [TransactionReport] = []
    /// Effects that are left undone, as after a crash.
    var isDead = false

    mutating func give(_ event: HostEvent) {
        trace.append("→ " + describe(event))
        let effects = machine.handle(event, at: now)
        for effect in effects {
            trace.append("   " + describe(effect))
            queue.append(effect)
        }
    }

    /// Carries out the next effect; false if there is none.
    mutating func step() -> Bool {
        guard !queue.isEmpty else { return false }
        let effect = queue.removeFirst()
        now = now + Milliseconds(10)
        if let (work, result) = carry(effect) { give(.finished(work: work, result)) }
        return true
    }

    mutating func settle() { while step() {} }

    /// Killed and started: only the durable state remains.
    mutating func crash() throws {
        let bytes = try WireJSON.encode(machine)
        machine = try WireJSON.decode(HostMachine.self, from: bytes)
        queue = []
        trace.append("*** killed and started")
    }

    var kinds: [ReportKind] { sent.map(\.kind) }

    private mutating func run(_ step: StepSpec, _ stage: Stage) -> StepOutcome {
        stepsRun.append("\(stage.rawValue)/\(step.name)")
        if guardOrder != nil { guardedSteps.insert("\(stage.rawValue)/\(step.name)") }
        if stage == .migration { content += "+" + step.name }
        let fails = failing.contains(step.name)
        return StepOutcome(
            status: fails ? .failed : .done, message: fails ? "exit 1" : "ok", output: "",
            took: Milliseconds(10))
    }

    private mutating func carry(_ effect: HostEffect) -> (UInt64, WorkResult)? {
        switch effect {
        case .fetch(let work, let artifact):
            return (work, failing.contains(artifact.name) ? .problem("not found") : .done)
        case .checkSpace(let work, _):
            return (work, failing.contains("space") ? .problem("too little space") : .done)
        case .capture(let work, let components, let reason, let rollout):
            if failing.contains("capture") { return (work, .problem("disk full")) }
            if reason == "before migration" { captured = content }
            return (work, .point(Samples.point(components, reason, rollout, at: now)))
        case .arm(let work, let order):
            if failing.contains("arm") { return (work, .problem("no process")) }
            guardOrder = order
            return (work, .done)
        case .rearm(let order):
            guardOrder = order
            return nil
        case .disarm(let work, _, _):
            if failing.contains("disarm") { return (work, .problem("disk full")) }
            guardOrder = nil
            return (work, .done)
        case .step(let work, let step, let stage, _):
            return (work, .step(run(step, stage)))
        case .pause(let work, let span):
            now = now + span
            return (work, .done)
        case .checks(let work, let checks, _):
            return (work, .checks(checks.map { Samples.result($0, failing.contains($0.name)) }))
        case .evidence(let work, _, _): return (work, .evidence(["log": "last lines"]))
        case .restore(let work, _, _, _, _):
            if failing.contains("restore") {
                return (work, .notRestored("object is damaged", took: Milliseconds(7)))
            }
            content = captured ?? content
            return (work, .restored(took: Milliseconds(7)))
        case .saveBefore(let work, let wanted):
            if failing.contains("capture") { return (work, .problem("disk full")) }
            return (
                work,
                .point(
                    Samples.point(
                        wanted.held, "before restore of \(wanted.point)",
                        RolloutID(unchecked: "none"), at: now))
            )
        case .restorePoint(let work, _):
            if failing.contains("check") { return (work, .problem("object is damaged")) }
            if failing.contains("restore") {
                content += "+half"
                return (work, .notRestored("disk full", took: Milliseconds(7)))
            }
            content = "point"
            return (work, .restoredPoint(changed: 1, removed: 0, took: Milliseconds(7)))
        case .send(let report):
            sent.append(report)
            return nil
        case .refuse(_, let refusal):
            refusals.append(refusal)
            return nil
        case .cancel, .reconnect: return nil
        }
    }
}
