import FleetWire
import HostProcesses

/// What systemd says of one unit (`systemctl show`).
struct UnitState: Equatable {
    struct Untold: Error {
        let finding: Finding
    }

    private let values: [Substring: Substring]

    var load: String { value("LoadState") }
    var active: String { value("ActiveState") }
    var sub: String { value("SubState") }
    /// `enabled`, `disabled`, `static`, …; empty if systemd does not tell.
    var file: String { value("UnitFileState") }
    /// How often systemd restarted it; nil for units that it never restarts.
    var restarts: Int? { Int(value("NRestarts")) }
    /// Nil if it has none.
    var mainProcess: Int32? { Int32(value("MainPID")).flatMap { $0 > 0 ? $0 : nil } }

    private func value(_ key: Substring) -> String { values[key].map(String.init) ?? "" }

    init?(_ text: String) {
        var values: [Substring: Substring] = [:]
        for line in text.split(separator: "\n") {
            guard let sign = line.firstIndex(of: "=") else { continue }
            values[line[..<sign]] = line[line.index(after: sign)...]
        }
        guard values["LoadState"] != nil, values["ActiveState"] != nil else { return nil }
        self.values = values
    }

    static func show(_ unit: String, _ context: LookContext) async -> Result<UnitState, Untold> {
        guard !unit.isEmpty, !unit.contains(where: { "*?[".contains($0) }) else {
            return .failure(
                Untold(
                    finding: .unknown(
                        "\"\(unit)\" is no name of one unit", "correct the check in the plan")))
        }
        let keys = "LoadState,ActiveState,SubState,UnitFileState,NRestarts,MainPID"
        let result = await context.run([
            context.systemProgram("systemctl"), "show", "--no-pager", "--property", keys, "--",
            unit,
        ])
        let (code, finding) = result.exitCode(context.timeout)
        guard let code else { return .failure(Untold(finding: finding)) }
        guard code == 0, let state = UnitState(result.text) else {
            return .failure(
                Untold(
                    finding: .unknown(
                        "systemctl tells nothing of \(unit), exit \(code)\(result.lastLine)",
                        "look whether systemd runs on this host")))
        }
        return .success(state)
    }
}
