import AgentCore
import FleetTransport
import FleetWire
import Glibc
import HostProcesses
import HostSnapshots
import HostSteps
import HostValidators
import NIOCore
import NIOPosix

/// Carries out work on the host; every piece ends in a result and never throws.
struct HostHands: Sendable {
    let state: StateDirectory
    let files: GuardFiles
    let groups: ProcessGroups
    let host: HostID
    let threads: NIOThreadPool
    let guardProcess: GuardProcess
    let agent: Agent

    init(_ agent: Agent) {
        self.agent = agent
        state = agent.state
        files = agent.files
        groups = ProcessGroups(agent.state)
        host = agent.configuration.host
        threads = agent.threads
        guardProcess = agent.guardProcess
    }

    func carry(_ effect: HostEffect) async -> WorkResult {
        do {
            return try await attempt(effect)
        } catch {
            return .problem(shown(error))
        }
    }

    /// What went wrong, with paths as the plan names them.
    func shown(_ error: any Error) -> String {
        HostPath.asPlanned("\(error)", root: state.rootDirectory)
    }

    private func attempt(_ effect: HostEffect) async throws -> WorkResult {
        switch effect {
        case .fetch(_, let artifact): return try await fetch(artifact)
        case .checkSpace(_, let components):
            return try await block {
                try store().spaceProblem(components).map { .problem(shown($0)) } ?? .done
            }
        case .capture(_, let components, let reason, let rollout):
            return .point(try await capture(components, reason, rollout))
        case .arm(_, let order): return try await block { try arm(order) }
        case .rearm:
            return try await block {
                try guardProcess.start(files)
                return .done
            }
        case .disarm(_, let rollout, let attempt):
            return try await block { try disarm(rollout, attempt) }
        case .step(_, let step, _, let plan):
            if let outcome = try await overtaken(plan.rollout) { return .guardActed(outcome) }
            let outcome = await runner(plan).run(step, in: plan, context: context(plan))
            await agent.note(outcome, of: step)
            return .step(outcome)
        case .pause(_, let span):
            try? await Task.sleep(for: span.duration)
            return .done
        case .checks(_, let checks, let plan):
            if let outcome = try await overtaken(plan.rollout) { return .guardActed(outcome) }
            return .checks(
                await CheckRunner(root: state.rootDirectory).run(checks, context: context(plan)))
        case .evidence(_, let plan, let reason):
            let evidence = Evidence(state: state, context: context(plan), plan: plan)
            return .evidence(await evidence.gather(reason, lastStep: agent.lastFailure))
        case .restore(_, let point, let names, let rollout, let attempt):
            let plan = await agent.plan(of: rollout)
            return try await block { try restore(point, names, plan, rollout, attempt) }
        case .saveBefore(_, let wanted):
            return .point(try await save(before: wanted))
        case .restorePoint(_, let wanted): return try await restore(wanted)
        case .cancel, .reconnect, .send, .refuse: return .done
        }
    }

    private func runner(_ plan: HostPlan) -> StepRunner {
        var runner = StepRunner(root: state.rootDirectory, services: services(plan)) { [state] in
            let path = state.file("artifacts/\($0.hex)")
            return access(path, R_OK) == 0 ? path : nil
        }
        runner.onStart = { [groups] in groups.note($0) }
        return runner
    }

    /// What the guard did in this rollout's present attempt, if it was faster: an agent that stood
    /// still, or a machine that was suspended, must not go on with a host that was taken back.
    /// Waits for a guard that is at it.
    private func overtaken(_ rollout: RolloutID) async throws -> GuardOutcome? {
        guard let attempt = await agent.attempt(of: rollout) else { return nil }
        return try await block {
            guard let lock = try FileLock.take(files.restoreLock, within: 900) else {
                throw AgentError("the guard has been restoring this host for 15 minutes")
            }
            return withExtendedLifetime(lock) { files.outcome(of: rollout, attempt) }
        }
    }

    /// Runs what blocks on a thread of its own kind, never on the cooperative pool.
    func block<Result: Sendable>(
        _ body: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        try await threads.runIfActive(body)
    }

    // MARK: - Contexts

    func context(
        labels: [String: String] = [:], variables: [String: String] = [:]
    ) -> TemplateContext {
        TemplateContext(
            root: state.root, host: host, labels: labels, facts: HostFacts.gather(),
            variables: variables)
    }

    func context(_ plan: HostPlan) -> TemplateContext {
        context(labels: plan.labels, variables: plan.variables)
    }

    func services(_ plan: HostPlan?) -> HostServices {
        var services = HostServices(context: plan.map { context($0) } ?? context())
        services.onStart = { [groups] in groups.note($0) }
        return services
    }

    func store(_ plan: HostPlan? = nil) throws -> PointStore {
        try PointStore(
            directory: state.file("points"), root: state.rootDirectory, services: services(plan))
    }

    // MARK: - Points

    func capture(
        _ components: [ComponentSpec], _ reason: String, _ rollout: RolloutID?
    ) async throws -> PointSummary {
        let plan = await agent.plan(of: rollout)
        return try await onThread { cancellation in
            let work = PointWork(
                store: try store(plan), inUse: [:], damaged: [], root: state.rootDirectory,
                updates: ControlUpdates(), cancellation: cancellation)
            return try work.capture(components, reason: reason, rollout: rollout)
        }
    }

    private func restore(
        _ point: PointID, _ names: [ComponentName]?, _ plan: HostPlan?, _ rollout: RolloutID,
        _ attempt: Int
    ) throws -> WorkResult {
        guard let lock = try FileLock.take(files.restoreLock, within: 900) else {
            return .problem("the guard has been restoring this host for 15 minutes")
        }
        defer { withExtendedLifetime(lock) {} }
        if let outcome = files.outcome(of: rollout, attempt) { return .guardActed(outcome) }
        let start = HostClock.sinceBoot()
        if let plan {
            StepLeftovers(root: state.rootDirectory, context: context(plan)).remove(of: plan)
        }
        do {
            let summary = try store(plan).restore(
                point: point, components: names.map(Set.init))
            // Before the lock goes: the guard must not restore after it.
            try files.close(rollout, attempt)
            return .restored(took: summary.took)
        } catch {
            return .notRestored(
                shown(error), took: Milliseconds(HostClock.sinceBoot() - start))
        }
    }

    // MARK: - The guard

    private func arm(_ order: GuardOrder) throws -> WorkResult {
        guard let lock = try FileLock.take(files.restoreLock, within: 60) else {
            return .problem("an older guard still restores this host")
        }
        try withExtendedLifetime(lock) {
            state.remove("guard/closed.json")
            state.remove("guard/outcome.json")
            try files.write(order, host: host)
        }
        try guardProcess.start(files)
        return .done
    }

    private func disarm(_ rollout: RolloutID, _ attempt: Int) throws -> WorkResult {
        guard let lock = try FileLock.take(files.restoreLock, within: 900) else {
            return .problem("the guard has been restoring this host for 15 minutes")
        }
        defer { withExtendedLifetime(lock) {} }
        if let outcome = files.outcome(of: rollout, attempt) { return .guardActed(outcome) }
        try files.close(rollout, attempt)
        return .done
    }

    // MARK: - Artifacts

    private func fetch(_ artifact: ArtifactRef) async throws -> WorkResult {
        let fetcher = ArtifactFetcher(state: state)
        let needed = await agent.artifactsNeeded
        let isPresent = try await block {
            fetcher.prune(keeping: needed)
            return try fetcher.isPresent(artifact)
        }
        if isPresent { return .done }
        if let problem = try await block({ try fetcher.spaceProblem(artifact) }) {
            return .problem(problem)
        }
        var failure = ""
        for attempt in 1...8 {
            if Task.isCancelled { return .problem("cancelled") }
            do {
                let (connector, tls) = try await agent.blobs()
                try await fetcher.fetch(artifact, connector, tls)
                if let problem = try await block({ try fetcher.accept(artifact) }) {
                    return .problem(problem)
                }
                return .done
            } catch let error as AgentError {
                return .problem("artifact \(artifact.name): \(error)")
            } catch BlobError.notFound {
                return .problem(
                    "artifact \(artifact.name) (\(artifact.digest.short)) is not at the "
                        + "coordinator; upload it again")
            } catch {
                failure = "\(error)"
                try? await Task.sleep(for: .milliseconds(250 * (1 << min(attempt, 5))))
            }
        }
        return .problem("artifact \(artifact.name) cannot be fetched: \(failure)")
    }
}
