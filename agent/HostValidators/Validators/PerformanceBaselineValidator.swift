import FleetWire
import Glibc
import HostProcesses
import Validation

/// The check `performance_baseline`.
struct PerformanceBaselineValidator: Validator {
    let spec = ValidatorSpec.performanceBaseline

    func look(_ parameters: CheckParameters, _ context: LookContext) async -> Finding {
        let path = parameters["baseline"]
        let remedy = "record one with belay-agent baseline record"
        guard access(path, F_OK) == 0 else {
            return .unknown("there is no baseline \(path)", remedy)
        }
        guard let bytes = SmallFile.bytes(path),
            let baseline = try? WireJSON.decode(PerformanceBaseline.self, from: bytes),
            baseline.version == PerformanceBaseline.version
        else { return .unknown("\(path) is no baseline", remedy) }
        let url = parameters.text("url")
        let argv = url == nil ? parameters.texts("argv") : nil
        guard baseline.url == url, baseline.argv == argv else {
            return .unknown(
                "the baseline is of \(baseline.target), which is not what is asked", remedy)
        }
        let probe = PerformanceProbe(
            url: url, argv: argv ?? [], samples: parameters.whole("samples") ?? 50,
            warmup: parameters.whole("warmup") ?? 5)
        switch await probe.measure(context) {
        case .failure(let why):
            return .unknown(why.reason, "raise the check's timeout, or take fewer samples")
        case .success(let figures): return Self.judge(figures, baseline, parameters)
        }
    }

    static func judge(
        _ figures: PerformanceFigures, _ baseline: PerformanceBaseline,
        _ parameters: CheckParameters
    ) -> Finding {
        var judgement = Judgement()
        let slack = Double(parameters.span("slack")?.count ?? 2)
        let (percent, place) = baseline.slower(figures, slack: slack)
        for (name, status) in [("slower_max", CheckStatus.fail), ("slower_warn", .warn)] {
            if let most = parameters.number(name), percent > most {
                judgement.note(status, "\(place) is longer by more than \(name), \(most)%")
            }
        }
        let errors = (figures.errorRate - baseline.figures.errorRate) * 100
        if let most = parameters.number("errors_max"), errors > most {
            judgement.note(.fail, "more errors than errors_max, \(most)%, above the baseline's")
        }
        var finding = judgement.finding(
            "\(figures.text); baseline \(baseline.figures.text), recorded on \(baseline.host)",
            remedy: "find out what slows it down, or record a baseline anew")
        finding.metrics = [
            CheckMetric(name: "p50", value: figures.p50, unit: "ms"),
            CheckMetric(name: "p95", value: figures.p95, unit: "ms"),
            CheckMetric(name: "error_rate", value: figures.errorRate),
        ]
        return finding
    }
}
