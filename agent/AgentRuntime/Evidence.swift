import FleetWire
import Glibc
import HostProcesses
import HostSteps
import HostValidators

/// Gathers what shows why a host failed, before the undo: text by topic, redacted, and small enough
/// for one report. Every look is bounded in time, as the host shall be back soon.
struct Evidence: Sendable {
    /// What a check or a service command may take here, whatever the plan allows it.
    private static let lookWithin = Milliseconds.seconds(10)
    /// Bytes of one topic and of one service's words in a report, as JSON.
    private static let topicBytesMax = 16_384
    private static let serviceBytesMax = 2048
    /// Service components that are asked.
    private static let servicesMax = 16

    let state: StateDirectory
    let context: TemplateContext
    let plan: HostPlan

    /// The text by topic. `lastStep` is what the step that failed said last.
    func gather(_ reason: String, lastStep: String?) async -> [String: String] {
        var lines = ["reason": reason]
        lines["step"] = lastStep
        lines["checks"] = await checks().map {
            "\($0.name) \($0.status.rawValue): \($0.measured.cut(toJSONBytes: 512))"
        }.joined(separator: "\n")
        lines["services"] = await services()
        lines["disks"] = disks()
        for (topic, path) in [("load", "/proc/loadavg"), ("memory", "/proc/meminfo")] {
            let text = String(decoding: StateDirectory.read(path: path) ?? [], as: UTF8.self)
            lines[topic] = text.split(separator: "\n").prefix(5).joined(separator: "\n")
        }
        let log = state.read("guard/guard.log").map { $0.suffix(Self.topicBytesMax / 4) }
        lines["guard log"] = log.map { String(decoding: $0, as: UTF8.self) }
        return lines.filter { !$0.value.isEmpty }.mapValues {
            Redactor.redact($0).cut(toJSONBytes: Self.topicBytesMax, keeping: .end)
        }
    }

    private func checks() async -> [CheckResult] {
        let asked = plan.stage(.verification).checks.map { check in
            var check = check
            check.timeout = min(check.timeout, Self.lookWithin)
            return check
        }
        return await CheckRunner(root: state.rootDirectory).run(asked, context: context)
    }

    private func services() async -> String {
        let services = HostServices(context: context, timeout: Self.lookWithin)
        let components = plan.components
        return await OwnThread.run { _ in
            var lines: [String] = []
            for component in components {
                guard case .service(let control) = component.driver else { continue }
                guard lines.count < Self.servicesMax else { break }
                let words = services.describe(control)
                lines.append(
                    "\(component.name): "
                        + words.cut(toJSONBytes: Self.serviceBytesMax, keeping: .end))
            }
            return lines.joined(separator: "\n")
        }
    }

    private func disks() -> String {
        [state.rootDirectory, state.path].compactMap { path in
            var info = statvfs()
            guard statvfs(path, &info) == 0 else { return nil }
            let unit = UInt64(info.f_frsize)
            return "\(path): \(UInt64(info.f_bavail) * unit) of \(UInt64(info.f_blocks) * unit) "
                + "bytes free, \(info.f_favail) of \(info.f_files) inodes free"
        }.joined(separator: "\n")
    }
}
