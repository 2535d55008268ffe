import FleetWire
import RolloutPlan

/// A calendar in words.
struct CalendarText {
    let line: TimeLine

    func why(isOpen: Bool, at moment: Int64, changesAt: Int64?) -> String {
        let zone = line.zone.name
        let change = changesAt.map(local)
        if isOpen {
            let freeze = changesAt.flatMap(line.freeze)?.name
            guard let window = line.window(at: moment) else {
                return change.map {
                    "no freeze holds until `\(freeze ?? "")` begins \($0) (\(zone))"
                } ?? "no freeze holds or is to come (\(zone))"
            }
            let until = freeze.map { "the freeze `\($0)` begins " } ?? ""
            return "the window \(window.text) (\(zone)) is open"
                + (change.map { " until \(until)\($0)" } ?? " and none closes it")
        }
        if let freeze = line.freeze(at: moment) {
            let end = local(freeze.span.upperBound)
            let then =
                switch change {
                case end: ""
                case .some(let change): "; then it opens \(change)"
                case nil: "; then nothing opens"
                }
            return "the freeze `\(freeze.name)` holds until \(end) (\(zone))\(then)"
        }
        let all = line.windows.map(\.text).joined(separator: ", ")
        return "outside of the windows \(all) (\(zone)); "
            + (change.map { "the next opens \($0)" } ?? "none opens again")
    }

    /// `Thu 2026-11-26 09:00`.
    private func local(_ moment: Int64) -> String {
        line.zone.wallTime(at: Timestamp(wholeSeconds: moment)).spoken
    }
}
