package import FleetWire
package import HostProcesses
package import Validation

/// Times an endpoint or a program.
package struct PerformanceProbe: Sendable {
    /// Why nothing could be measured.
    package struct Failure: Error, Sendable {
        /// One sentence.
        package let reason: String
    }

    /// The endpoint; nil if it is a program.
    package var url: String?
    /// The program and its arguments.
    package var argv: [String]
    /// How often it is timed.
    package var samples: Int
    /// How often it runs before that.
    package var warmup: Int
    /// A probe of these fields.
    package init(url: String?, argv: [String], samples: Int, warmup: Int) {
        self.url = url
        self.argv = argv
        self.samples = samples
        self.warmup = warmup
    }

    /// The figures of this host, one run after the other, within `timeout`; the whole of it if not
    /// all runs fit. Below `root` programs see BELAY_ROOT.
    package func measure(
        _ template: TemplateContext, within timeout: Milliseconds
    ) async -> Result<PerformanceFigures, Failure> {
        let context = LookContext(root: template.root, template: template, timeout: timeout)
        return await measure(context)
    }

    func measure(_ context: LookContext) async -> Result<PerformanceFigures, Failure> {
        var times: [Double] = []
        var errors: [String] = []
        for run in 0..<(warmup + samples) {
            guard ContinuousClock.now < context.deadline, !Task.isCancelled else {
                return .failure(
                    Failure(
                        reason: "\(max(0, run - warmup)) of \(samples) runs within the timeout of "
                            + context.timeout.text))
            }
            let begun = ContinuousClock.now
            let error = await one(context)
            let took = ContinuousClock.now - begun
            guard run >= warmup else { continue }
            if let error {
                errors.append(error)
            } else {
                times.append(took / .microseconds(1) / 1000)
            }
        }
        guard let figures = PerformanceFigures(milliseconds: times, errors: errors.count) else {
            return .failure(Failure(reason: "every run failed: \(errors.first ?? "")"))
        }
        return .success(figures)
    }

    /// What went wrong with one run; nil if nothing did.
    private func one(_ context: LookContext) async -> String? {
        guard let url else {
            let result = await context.run(argv)
            return result.ending == .exited(0) ? nil : "\(result.ending)\(result.lastLine)"
        }
        let finding = await context.blocking { cancellation in
            do throws(HTTPExchange.Failure) {
                let answer = try HTTPExchange(url: url, bodyBytesMax: 1 << 20)
                    .run(deadline: context.deadline, cancellation: cancellation)
                let status = answer.status ?? 0
                return (200..<400).contains(status) && answer.isWhole
                    ? .pass("\(status)") : .fail("status \(status)", "")
            } catch {
                return .fail(error.reason, "")
            }
        }
        return finding.status == .pass ? nil : finding.measured
    }
}
