import FleetWire

extension PlanChecker {
    mutating func checkCalendar(_ calendar: WorkCalendar, _ path: PlanPath) {
        checkZone(calendar.zone, path["zone"])
        if calendar.windows.isEmpty && calendar.freezes.isEmpty {
            error(path, "a calendar needs `open` or `freeze`; without either it is always open")
        }
        let most = PlanLimits.windowsMax
        for (key, count) in [("open", calendar.windows.count), ("freeze", calendar.freezes.count)]
        where count > most {
            error(path[key], "at most \(most) can be read; found \(count)", atKey: true)
        }
        for (index, window) in calendar.windows.prefix(most).enumerated() {
            checkWindow(window, path["open"][index])
        }
        checkNames(calendar.freezes.map(\.name), of: "freeze", path["freeze"])
        for (index, freeze) in calendar.freezes.prefix(most).enumerated() {
            checkFreeze(freeze, path["freeze"][index])
        }
    }

    private mutating func checkZone(_ name: String, _ path: PlanPath) {
        switch zones?(name) {
        case nil, .known: return
        case .unreadable(let reason): error(path, reason)
        case .unknown(let known):
            let hint = NearestName.hint(name, among: known)
            error(
                path,
                "no time zone is called `\(name)`"
                    + (hint.isEmpty ? "; expected one such as `Europe/Berlin` or `UTC`" : hint))
        }
    }

    private mutating func checkWindow(_ window: WorkCalendar.WeeklyWindow, _ path: PlanPath) {
        if window.days.isEmpty {
            error(path["days"], "no day is named; leave `days` out for every day")
        } else if !window.days.allSatisfy((1...7).contains) {
            error(path["days"], "expected \(Shape.days.expected)")
        }
        for (key, minute) in [("from", window.from), ("to", window.to)]
        where !(0...1440).contains(minute) || (key == "from" && minute == 1440) {
            error(path[key], "expected \(Shape.timeOfDay.expected)")
        }
        if window.from == window.to {
            error(
                path["to"],
                "a window from \(WallTime.clock(window.from)) to the same time is empty; the whole "
                    + "day is `00:00` to `24:00`")
        }
    }

    private mutating func checkFreeze(_ freeze: WorkCalendar.Freeze, _ path: PlanPath) {
        let from = WallTime(freeze.from)
        let to = WallTime(freeze.to)
        if from == nil { error(path["from"], "expected \(Shape.wallTime.expected)") }
        if to == nil { error(path["to"], "expected \(Shape.wallTime.expected)") }
        guard let from, let to, to <= from else { return }
        error(
            path["to"],
            "the freeze ends " + (to == from ? "when" : "before") + " it begins, \(from.text)")
    }
}
