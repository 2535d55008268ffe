package import FleetWire
package import HostProcesses
import Validation

/// Runs checks on this host. What could not be looked at is unknown, never pass.
package struct CheckRunner: Sendable {
    /// How long after its timeout a validator that does not end by itself is cancelled.
    private static let slack = Milliseconds.seconds(1)

    /// Metrics of all results of a run together; each takes at most some 400 bytes of a message.
    private static let metricsMax = 500

    /// Paths of checks lie below this; `/` on a real host.
    package let root: String
    private let concurrency: Int
    private let configuration: ValidatorConfiguration?

    /// A runner of checks below `root`, at most `concurrency` at the same time. Thresholds are
    /// those of `configuration`, or of the host's file, which then is read for each run.
    package init(
        root: String, concurrency: Int = 8, configuration: ValidatorConfiguration? = nil
    ) {
        self.root = root
        self.concurrency = max(1, concurrency)
        self.configuration = configuration
    }

    /// Runs `checks`; exactly one result for each, in their order. `found` is told each result as
    /// it comes, one at a time.
    package func run(
        _ checks: [CheckSpec], context: TemplateContext,
        found: @Sendable (CheckResult) async -> Void = { _ in }
    ) async -> [CheckResult] {
        let settings = self.settings()
        return await withTaskGroup(of: (Int, CheckResult).self) { tasks in
            var results: [Int: CheckResult] = [:]
            for (index, check) in checks.enumerated() {
                if index >= concurrency, let (done, result) = await tasks.next() {
                    results[done] = result
                    await found(result)
                }
                tasks.addTask { (index, await one(check, settings, context)) }
            }
            for await (done, result) in tasks {
                results[done] = result
                await found(result)
            }
            return Self.bounded(checks.indices.compactMap { results[$0] })
        }
    }

    private typealias Settings = Result<ValidatorConfiguration, ValidatorConfiguration.Failure>

    private func settings() -> Settings {
        if let configuration { return .success(configuration) }
        do throws(ValidatorConfiguration.Failure) {
            return .success(try ValidatorConfiguration.read(root: root))
        } catch {
            return .failure(error)
        }
    }

    private func one(
        _ check: CheckSpec, _ settings: Settings, _ context: TemplateContext
    ) async -> CheckResult {
        let begun = ContinuousClock.now
        let (finding, parameters) = await look(check, settings, context)
        let remedy = finding.status == .pass ? "" : finding.remedy
        return CheckResult(
            name: check.name, kind: check.kind.name, level: check.level, status: finding.status,
            measured: shown(finding.measured), remedy: remedy.isEmpty ? nil : shown(remedy),
            took: Milliseconds(since: begun), threshold: finding.threshold.map(shown),
            evidence: evidence(finding.evidence), parameters: parameters,
            metrics: metrics(finding.metrics))
    }

    private func evidence(_ lines: [String]) -> [String]? {
        guard !lines.isEmpty else { return nil }
        let kept = lines.prefix(20).map { shown($0).cut(toJSONBytes: 512) }
        let more = lines.count - kept.count
        return more > 0 ? kept + ["[cut] \(more) more are left out"] : kept
    }

    /// What plugins write can be long; names and ranges that people use are not.
    private func metrics(_ metrics: [CheckMetric]) -> [CheckMetric]? {
        guard !metrics.isEmpty else { return nil }
        return metrics.prefix(CheckMetric.countMax).map { metric in
            var metric = metric
            metric.name = shown(metric.name).cut(toJSONBytes: 100)
            metric.unit = metric.unit.map { $0.cut(toJSONBytes: 20) }
            metric.warn = metric.warn.map { $0.cut(toJSONBytes: 60) }
            metric.fail = metric.fail.map { $0.cut(toJSONBytes: 60) }
            return metric
        }
    }

    /// Metrics of the first results, as many as leave a message that holds all results small enough.
    private static func bounded(_ results: [CheckResult]) -> [CheckResult] {
        var left = metricsMax
        return results.map { result in
            var result = result
            let count = result.metrics?.count ?? 0
            if count > left { result.metrics = nil } else { left -= count }
            return result
        }
    }

    private func shown(_ text: String) -> String {
        HostPath.asPlanned(Redactor.redact(text), root: root)
    }

    private func look(
        _ check: CheckSpec, _ settings: Settings, _ context: TemplateContext
    ) async -> (Finding, [ShownParameter]?) {
        guard var call = check.kind.call, let validator = ValidatorRegistry.validator(call.id)
        else {
            return (
                .unknown(
                    "this agent does not know checks of kind \(check.kind.name)",
                    "update the agent"), nil
            )
        }
        let spec = validator.spec
        switch settings {
        case .success(let configuration):
            call = spec.call(call, configured: configuration.thresholds[spec.id] ?? [:])
        case .failure(let failure):
            return (.unknown(failure.reason, "correct the agent's configuration"), nil)
        }
        let parameters = spec.shown(call).map { parameter in
            var parameter = parameter
            parameter.value = Redactor.redact(parameter.value).cut(toJSONBytes: 200)
            return parameter
        }
        let problems = spec.problems(of: call)
        guard problems.isEmpty else {
            let reasons = problems.map(\.reason).joined(separator: "; ")
            return (.unknown(reasons, "correct the check in the plan"), nil)
        }
        do throws(TemplateError) {
            let filled = try CheckParameters(call, of: spec, root: root, context)
            let finding = await bounded(validator, filled, check.timeout, context)
            return (finding, parameters.isEmpty ? nil : parameters)
        } catch {
            return (.unknown(error.reason, "correct the check in the plan"), nil)
        }
    }

    /// Validators end by themselves at the deadline; one that does not is cancelled.
    private func bounded(
        _ validator: any Validator, _ parameters: CheckParameters, _ timeout: Milliseconds,
        _ context: TemplateContext
    ) async -> Finding {
        let look = LookContext(root: root, template: context, timeout: timeout)
        return await withTaskGroup(of: Finding.self) { tasks in
            tasks.addTask { await validator.look(parameters, look) }
            tasks.addTask {
                try? await Task.sleep(for: (timeout + Self.slack).duration)
                return Task.isCancelled
                    ? .unknown("cancelled", "run the check again") : .late(timeout)
            }
            let first = await tasks.next()
            tasks.cancelAll()
            return first ?? .late(timeout)
        }
    }
}
