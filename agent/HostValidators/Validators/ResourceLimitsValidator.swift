import FleetWire
import Glibc
import HostProcesses
import Validation

/// The check `resource_limits`: soft limits of /proc/PID/limits (proc_pid_limits(5)).
struct ResourceLimitsValidator: Validator {
    let spec = ValidatorSpec.resourceLimits

    func look(_ parameters: CheckParameters, _ context: LookContext) async -> Finding {
        let table = ProcessTable(context)
        var folders = ["\(table.folder)/self"]
        if !parameters.namesNoProcess {
            switch await table.running(parameters, context) {
            case .untold(let finding): return finding
            case .found(let processes):
                folders = processes.map { "\(table.folder)/\($0.pid)" }
            }
        }
        return await context.blocking { [folders] _ in Self.judge(folders, parameters) }
    }

    private static func judge(_ folders: [String], _ parameters: CheckParameters) -> Finding {
        var judgement = Judgement()
        var shown: [String] = []
        for folder in folders {
            guard let text = SmallFile.text(folder + "/limits") else {
                judgement.note(.unknown, "\(folder)/limits cannot be read")
                continue
            }
            for (limit, line) in [("nofile", "Max open files"), ("nproc", "Max processes")] {
                judge(limit, softLimit(line, in: text), parameters, &shown, &judgement)
            }
        }
        return judgement.finding(
            "\(parameters.processes): " + Set(shown).sorted().joined(separator: ", "),
            remedy:
                "raise it in the unit (LimitNOFILE=, LimitNPROC=) or limits.conf(5), and restart")
    }

    private static func judge(
        _ limit: String, _ value: Limit?, _ parameters: CheckParameters, _ shown: inout [String],
        _ judgement: inout Judgement
    ) {
        let bounds = [("\(limit)_min", CheckStatus.fail), ("\(limit)_warn", .warn)].compactMap {
            name, status in parameters.whole(name).map { (name, status, $0) }
        }
        guard !bounds.isEmpty else { return }
        guard let value else {
            return judgement.note(.unknown, "the kernel tells no limit \(limit)")
        }
        switch value {
        case .unlimited: shown.append("\(limit) unlimited")
        case .of(let number):
            shown.append("\(limit) \(number)")
            for (name, status, least) in bounds where number < least {
                judgement.note(status, "\(limit) \(number) is below \(name), \(least)")
            }
        }
    }

    private enum Limit {
        case unlimited
        case of(Int)
    }

    private static func softLimit(_ name: String, in text: String) -> Limit? {
        for line in text.split(separator: "\n") where line.hasPrefix(name + " ") {
            let words = line.dropFirst(name.utf8.count).split(whereSeparator: \.isWhitespace)
            guard let soft = words.first else { return nil }
            return soft == "unlimited" ? .unlimited : Int(soft).map { .of($0) }
        }
        return nil
    }
}
