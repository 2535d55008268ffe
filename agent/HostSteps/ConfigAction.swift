import FleetWire
import Glibc

/// The step `config`.
struct ConfigAction: Sendable {
    let place: StepPlace

    struct Change {
        let path: String
        let existing: HostFile.Existing?
        let wanted: [UInt8]
        let mode: mode_t
        var isNothing: Bool { existing?.bytes == wanted }
    }

    func change(_ action: ConfigStep) throws(StepFailure) -> Change {
        let path = try place.path(action.path)
        let wanted = Array(try place.fill(action.template).utf8)
        let text = action.mode ?? "0640"
        guard let mode = mode_t(text, radix: 8), mode <= 0o7777 else {
            throw StepFailure("mode \(text) is not octal, such as 0640")
        }
        return Change(
            path: path, existing: try HostFile.read(path), wanted: wanted, mode: mode)
    }

    func run(_ action: ConfigStep) throws(StepFailure) -> String {
        let change = try change(action)
        if change.isNothing { return "\(change.path) is unchanged" }
        try HostFile.replace(
            change.path, with: change.wanted, existing: change.existing, mode: change.mode)
        return "\(change.path) was \(change.existing == nil ? "created" : "written")"
    }
}
