package import FleetWire
package import HostProcesses

/// Runs checks on this host. What could not be looked at is unknown, never pass.
package struct CheckRunner: Sendable {
    /// Paths of checks lie below this; `/` on a real host.
    package let root: String
    private let concurrency: Int

    /// A runner of checks below `root`, at most `concurrency` at the same time.
    package init(root: String, concurrency: Int = 8) {
        self.root = root
        self.concurrency = max(1, concurrency)
    }

    /// Runs `checks`; exactly one result for each, in their order.
    package func run(_ checks: [CheckSpec], context: TemplateContext) async -> [CheckResult] {
        await withTaskGroup(of: (Int, CheckResult).self) { tasks in
            var results: [Int: CheckResult] = [:]
            for (index, check) in checks.enumerated() {
                if index >= concurrency, let (done, result) = await tasks.next() {
                    results[done] = result
                }
                tasks.addTask { (index, await one(check, context)) }
            }
            for await (done, result) in tasks { results[done] = result }
            return checks.indices.compactMap { results[$0] }
        }
    }

    private func one(_ check: CheckSpec, _ context: TemplateContext) async -> CheckResult {
        let begun = ContinuousClock.now
        let finding = await look(check, context)
        return CheckResult(
            name: check.name, kind: check.kind.name, level: check.level, status: finding.status,
            measured: shown(finding.measured),
            remedy: finding.status == .pass ? nil : shown(finding.remedy),
            took: Milliseconds(since: begun))
    }

    private func shown(_ text: String) -> String {
        HostPath.asPlanned(Redactor.redact(text), root: root)
    }

    private func look(_ check: CheckSpec, _ context: TemplateContext) async -> Finding {
        do throws(TemplateError) {
            switch check.kind {
            case .run(let spec):
                return await ProgramCheck.run(spec, timeout: check.timeout, context: context)
            case .http(let spec):
                return try await http(spec, check.timeout, context)
            case .diskSpace(let spec):
                return await timed(check, try place(spec.path, context)) { path, _ in
                    FileChecks.diskSpace(spec, at: path)
                }
            case .fileDigest(let spec):
                return await timed(check, try place(spec.path, context)) {
                    FileChecks.digest(spec, at: $0, cancellation: $1)
                }
            case .sqliteIntegrity(let spec):
                let deadline = ContinuousClock.now + check.timeout.duration
                return await timed(check, try place(spec.path, context)) { path, _ in
                    DatabaseCheck.run(spec, at: path, until: deadline)
                }
            case .unknown(let name):
                return .unknown(
                    "this agent does not know checks of kind \(name)", "update the agent")
            }
        } catch {
            return .unknown(error.reason, "correct the check in the plan")
        }
    }

    private func http(
        _ spec: HTTPCheck, _ timeout: Milliseconds, _ context: TemplateContext
    ) async throws(TemplateError) -> Finding {
        var filled = spec
        filled.url = try context.fill(spec.url)
        if let contains = spec.contains { filled.contains = try context.fill(contains) }
        let asked = filled
        let deadline = ContinuousClock.now + timeout.duration
        return await OwnThread.run(within: timeout) { cancellation in
            HTTPProbe.run(asked, deadline: deadline, cancellation: cancellation)
        } ?? .late(timeout)
    }

    private func place(
        _ path: String, _ context: TemplateContext
    ) throws(TemplateError) -> String {
        let filled = try context.fill(path)
        do throws(HostPathError) {
            return try HostPath.below(root, filled)
        } catch {
            throw TemplateError(reason: error.reason)
        }
    }

    private func timed(
        _ check: CheckSpec, _ path: String,
        _ body: @escaping @Sendable (String, OwnThread.Cancellation) -> Finding
    ) async -> Finding {
        await OwnThread.run(within: check.timeout) { body(path, $0) } ?? .late(check.timeout)
    }
}
