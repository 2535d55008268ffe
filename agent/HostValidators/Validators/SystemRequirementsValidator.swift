import FleetWire
import Glibc
import HostProcesses
import Validation

/// The check `system_requirements`.
struct SystemRequirementsValidator: Validator {
    let spec = ValidatorSpec.systemRequirements

    func look(_ parameters: CheckParameters, _ context: LookContext) async -> Finding {
        await context.blocking { _ in Self.look(parameters, context) }
    }

    private static func look(_ parameters: CheckParameters, _ context: LookContext) -> Finding {
        var judgement = Judgement()
        let cores = cores(context)
        let memory = memory(context)
        let kernel = SmallFile.text(context.systemFile("/proc/sys/kernel/osrelease"))
            .flatMap { $0.split(separator: "\n").first }.map(String.init)
        let machine = machine()
        for (name, status) in [("cores_min", CheckStatus.fail), ("cores_warn", .warn)] {
            guard let least = parameters.whole(name) else { continue }
            if let cores {
                if cores < least { judgement.note(status, "fewer than \(name), \(least)") }
            } else {
                judgement.note(.unknown, "/proc/cpuinfo tells no processors")
            }
        }
        for (name, status) in [("memory_min", CheckStatus.fail), ("memory_warn", .warn)] {
            guard let least = parameters.bytes(name) else { continue }
            if let memory {
                if memory < least { judgement.note(status, "less than \(name), \(least.text)") }
            } else {
                judgement.note(.unknown, "/proc/meminfo tells no MemTotal")
            }
        }
        let wanted = parameters.texts("architecture")
        if parameters.values["architecture"] != nil, !wanted.contains(machine) {
            judgement.note(.fail, "architecture \(wanted.joined(separator: " or ")) wanted")
        }
        if let text = parameters.text("kernel_min") {
            judge(kernel, atLeast: text, &judgement)
        }
        return judgement.finding(
            "\(cores.map { "\($0) processors" } ?? "processors unknown"), "
                + "\(memory?.text ?? "memory unknown"), \(machine), kernel \(kernel ?? "unknown")",
            remedy: "give the host what is missing, or take it out of the selection")
    }

    private static func judge(
        _ kernel: String?, atLeast text: String, _ judgement: inout Judgement
    ) {
        guard let least = VersionText(text) else {
            return judgement.note(.unknown, "kernel_min \(text) is no version")
        }
        guard let kernel, let version = VersionText(in: kernel) else {
            return judgement.note(.unknown, "/proc/sys/kernel/osrelease tells no version")
        }
        if version < least { judgement.note(.fail, "older than kernel_min, \(text)") }
    }

    private static func cores(_ context: LookContext) -> Int? {
        let text = SmallFile.text(context.systemFile("/proc/cpuinfo")) ?? ""
        let count = text.split(separator: "\n").count { $0.hasPrefix("processor") }
        return count > 0 ? count : nil
    }

    private static func memory(_ context: LookContext) -> ByteCount? {
        MemoryFigures.kibibytes(
            "MemTotal", in: SmallFile.text(context.systemFile("/proc/meminfo")) ?? ""
        ).flatMap { $0 > 0 ? ByteCount($0 * 1024) : nil }
    }

    private static func machine() -> String {
        var names = utsname()
        uname(&names)
        return withUnsafePointer(to: &names.machine) {
            $0.withMemoryRebound(to: CChar.self, capacity: 65) { String(cString: $0) }
        }
    }
}
