import FleetWire
import HostProcesses
import Validation

/// The check `nagios`.
struct NagiosValidator: Validator {
    let spec = ValidatorSpec.nagios

    func look(_ parameters: CheckParameters, _ context: LookContext) async -> Finding {
        let result = await context.run(
            parameters.texts("argv"), environment: parameters.textsByName("env"))
        let (code, finding) = result.exitCode(context.timeout)
        let remedy =
            "run the plugin on the host: \(parameters.texts("argv").joined(separator: " "))"
        guard let code else {
            // What a plugin says by a signal, or by too much, is not what it looked at.
            return .unknown(finding.measured, finding.remedy.isEmpty ? remedy : finding.remedy)
        }
        let output = PluginOutput(result.text)
        let said = output.summary.isEmpty ? "exit \(code) without a word" : output.summary
        let status: CheckStatus =
            switch code {
            case 0 where !output.summary.isEmpty: .pass
            case 1: .warn
            case 2: .fail
            // 3, exits that no plugin has, and one that says nothing of what it looked at.
            default: .unknown
            }
        let measured = (0...3).contains(code) ? said : "exit \(code), which no plugin has: \(said)"
        return Finding(
            status: status, measured: measured, threshold: nil,
            remedy: status == .pass ? "" : remedy, evidence: output.details,
            metrics: output.metrics)
    }
}

/// What a plugin writes: a line, more lines, and performance data behind a `|` in the first line and
/// from a `|` in the others on (Monitoring Plugins Development Guidelines, "Plugin Output").
struct PluginOutput {
    private(set) var summary = ""
    private(set) var details: [String] = []
    private(set) var metrics: [CheckMetric] = []

    init(_ text: String) {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)[...]
        guard let first = lines.popFirst() else { return }
        var data = ""
        (summary, data) = Self.halves(first)
        var isData = false
        for line in lines {
            if isData {
                data += " " + line
            } else {
                let (said, more) = Self.halves(line)
                if !said.isEmpty { details.append(said) }
                isData = line.contains("|")
                data += " " + more
            }
        }
        metrics = Self.metrics(data)
    }

    private static func halves(_ line: Substring) -> (said: String, data: String) {
        let end = line.firstIndex(of: "|") ?? line.endIndex
        return (
            line[..<end].split(separator: " ").joined(separator: " "),
            String(line[end...].dropFirst())
        )
    }

    /// `'label'=value[unit];[warn];[crit];[min];[max]`, with blanks between; a quote within a label
    /// is doubled. What does not have this form is passed over.
    private static func metrics(_ text: String) -> [CheckMetric] {
        var metrics: [CheckMetric] = []
        var rest = text[...].drop { $0.isWhitespace }
        while !rest.isEmpty {
            let label = label(&rest)
            let word = rest.prefix { !$0.isWhitespace }
            rest = rest.dropFirst(word.count).drop { $0.isWhitespace }
            if let label, word.hasPrefix("="), let metric = metric(label, word.dropFirst()) {
                metrics.append(metric)
            }
        }
        return metrics
    }

    private static func label(_ rest: inout Substring) -> String? {
        guard rest.hasPrefix("'") else {
            let label = rest.prefix { $0 != "=" && !$0.isWhitespace }
            rest = rest.dropFirst(label.count)
            return label.isEmpty ? nil : String(label)
        }
        rest = rest.dropFirst()
        var label = ""
        while let sign = rest.popFirst() {
            if sign == "'" {
                guard rest.hasPrefix("'") else { return label.isEmpty ? nil : label }
                rest = rest.dropFirst()
            }
            label.append(sign)
        }
        return nil
    }

    private static func metric(_ label: String, _ word: Substring) -> CheckMetric? {
        let fields = word.split(separator: ";", omittingEmptySubsequences: false)
        guard let first = fields.first else { return nil }
        let number = first.prefix { $0.isNumber || "+-.eE".contains($0) }
        let digits = number.last.map { "eE".contains($0) } ?? false ? number.dropLast() : number
        let unit = first.dropFirst(digits.count)
        guard let value = Double(digits), value.isFinite else { return nil }
        func field(_ index: Int) -> String? {
            index < fields.count && !fields[index].isEmpty ? String(fields[index]) : nil
        }
        return CheckMetric(
            name: label, value: value, unit: unit.isEmpty ? nil : String(unit), warn: field(1),
            fail: field(2), least: field(3).flatMap { Double($0) }.finite,
            most: field(4).flatMap { Double($0) }.finite)
    }
}

extension Double? {
    fileprivate var finite: Double? { flatMap { $0.isFinite ? $0 : nil } }
}
