import FleetWire
import Validation

extension Judgement {
    /// Holds a version against the bounds of `ValidatorParameter.versionRange`.
    mutating func judge(_ found: VersionText, _ parameters: CheckParameters) {
        func bound(_ name: String) -> VersionText? {
            guard let text = parameters.text(name) else { return nil }
            // A letter sorts behind all digits, so `v2` would be above any number.
            guard text.first?.isNumber == true, let version = VersionText(text) else {
                note(.unknown, "\(name) \(text) is no version that begins with a digit")
                return nil
            }
            return version
        }
        if let wanted = bound("version"), found != wanted { note(.fail, "\(wanted) wanted") }
        if let least = bound("version_min"), found < least {
            note(.fail, "older than version_min, \(least)")
        }
        if let end = bound("version_below"), found >= end {
            note(.fail, "not below version_below, \(end)")
        }
        if let least = bound("version_warn"), found < least {
            note(.warn, "older than version_warn, \(least)")
        }
    }
}
