import FleetWire
import Validation

/// The check `systemd_unit`.
struct SystemdUnitValidator: Validator {
    let spec = ValidatorSpec.systemdUnit

    func look(_ parameters: CheckParameters, _ context: LookContext) async -> Finding {
        let unit = parameters["unit"]
        switch await UnitState.show(unit, context) {
        case .failure(let why): return why.finding
        case .success(let state): return Self.judge(unit, state, parameters)
        }
    }

    private static func judge(
        _ unit: String, _ state: UnitState, _ parameters: CheckParameters
    ) -> Finding {
        guard state.load == "loaded" else {
            return .fail(
                "\(unit): systemd says \(state.load)", "install the unit, or correct its name")
        }
        var judgement = Judgement()
        if let wanted = parameters.flag("active") {
            let fitting = wanted ? ["active", "reloading"] : ["inactive", "failed"]
            if !fitting.contains(state.active) {
                judgement.note(.fail, wanted ? "active wanted" : "inactive wanted")
            }
        }
        if let wanted = parameters.flag("enabled") {
            judgeEnabled(state.file, wanted, &judgement)
        }
        if parameters.values["restarts_max"] != nil, state.restarts == nil {
            judgement.note(.unknown, "systemd does not count restarts of this unit")
        }
        for (name, status) in [("restarts_max", CheckStatus.fail), ("restarts_warn", .warn)] {
            guard let most = parameters.whole(name), let restarts = state.restarts,
                restarts > most
            else { continue }
            judgement.note(status, "more restarts than \(name), \(most)")
        }
        let restarts = state.restarts.map { ", restarted \($0) times" } ?? ""
        let file = state.file.isEmpty ? "" : ", \(state.file)"
        return judgement.finding(
            "\(unit): \(state.active) (\(state.sub))\(file)\(restarts)",
            remedy: "look at systemctl status \(unit) and journalctl -u \(unit)")
    }

    private static func judgeEnabled(
        _ file: String, _ wanted: Bool, _ judgement: inout Judgement
    ) {
        switch file {
        case "enabled", "enabled-runtime", "alias", "generated":
            if !wanted { judgement.note(.fail, "disabled wanted") }
        // Other units decide whether such a one starts.
        case "static", "indirect":
            if !wanted { judgement.note(.unknown, "whether it starts is for other units to say") }
        case "disabled", "masked", "masked-runtime", "linked", "linked-runtime":
            if wanted { judgement.note(.fail, "enabled wanted") }
        default:
            judgement.note(.unknown, "systemd does not say whether it is enabled")
        }
    }
}
