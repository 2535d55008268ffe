import FleetWire
import Foundation
import RolloutCalendar
import RolloutPlan
import Testing

/// Walks minute by minute over changes of clocks and holds the reader against itself and against
/// another library's zones.
@Suite("Calendars, minute by minute")
struct WalkTests {
    struct Walk: Sendable, CustomTestStringConvertible {
        var zone: String
        /// UTC, on the minute.
        var from: String
        var minutes: Int
        var testDescription: String { "\(zone) from \(from)" }
    }

    static let walks: [Walk] = [
        .init(zone: "Europe/Berlin", from: "2026-03-28T22:00:00Z", minutes: 1500),
        .init(zone: "Europe/Berlin", from: "2026-10-24T21:00:00Z", minutes: 1500),
        .init(zone: "America/New_York", from: "2026-03-08T03:00:00Z", minutes: 1500),
        .init(zone: "America/New_York", from: "2026-11-01T02:00:00Z", minutes: 1500),
        .init(zone: "Australia/Lord_Howe", from: "2026-04-04T11:00:00Z", minutes: 1500),
        .init(zone: "Australia/Lord_Howe", from: "2026-10-03T11:00:00Z", minutes: 1500),
        .init(zone: "Pacific/Apia", from: "2011-12-30T06:00:00Z", minutes: 1500),
        .init(zone: "Asia/Kolkata", from: "2026-10-31T18:00:00Z", minutes: 1500),
        .init(zone: "UTC", from: "2026-12-31T18:00:00Z", minutes: 1500),
    ]

    private static let calendars: [[WorkCalendar.WeeklyWindow]] = [
        [window(Array(1...7), "02:15", "02:45")], [window(Array(1...7), "01:40", "02:20")],
        [window(Array(1...7), "02:20", "03:40")], [window(Array(1...7), "22:00", "02:10")],
        [window([5, 6, 7], "00:30", "01:50"), window([4, 7], "01:30", "05:00")],
        [window(Array(1...7), "00:00", "24:00")],
    ]

    @Test("What is read now holds until changesAt and not a minute longer", arguments: walks)
    func holdsUntilItChanges(walk: Walk) throws {
        let begin = try moment(walk.from)
        let zone = try ZoneFolder.ofThisMachine.zone(named: walk.zone)
        var changes = 0
        for windows in Self.calendars {
            let calendar = WorkCalendar(zone: walk.zone, windows: windows, freezes: [])
            var last = try CalendarReader.read(calendar, at: begin, in: zone)
            for minute in 1...walk.minutes {
                let now = begin + Milliseconds(Int64(minute) * 60_000)
                let next = try CalendarReader.read(calendar, at: now, in: zone)
                if let change = last.changesAt, now >= change {
                    #expect(next.isOpen != last.isOpen, "\(walk.zone) \(now): \(next.why)")
                    #expect(now == change, "a change within a minute, at \(change)")
                    changes += 1
                } else {
                    #expect(next.isOpen == last.isOpen, "\(walk.zone) \(now): \(next.why)")
                    #expect(next.changesAt == last.changesAt, "\(walk.zone) \(now): \(next.why)")
                }
                last = next
            }
        }
        #expect(changes >= 4, "a walk without changes proves nothing")
    }

    @Test("A minute is open if its wall clock says so, and the first time only", arguments: walks)
    func agreesWithAnotherClock(walk: Walk) throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(identifier: walk.zone))
        let begin = try moment(walk.from)
        let zone = try ZoneFolder.ofThisMachine.zone(named: walk.zone)
        for windows in Self.calendars.dropLast() {
            let plan = WorkCalendar(zone: walk.zone, windows: windows, freezes: [])
            var shown: Set<Int64> = []
            var highest = Int64.min
            for minute in 0..<walk.minutes {
                let now = begin + Milliseconds(Int64(minute) * 60_000)
                let date = Date(timeIntervalSince1970: Double(now.milliseconds / 1000))
                let wall =
                    now.milliseconds / 60_000
                    + Int64(calendar.timeZone.secondsFromGMT(for: date) / 60)
                let isRepeated = !shown.insert(wall).inserted || wall < highest
                highest = max(highest, wall)
                // A repeated minute is open only within a window that is open all the time.
                if isRepeated { continue }
                let parts = calendar.dateComponents([.weekday, .hour, .minute], from: date)
                let weekday = (try #require(parts.weekday) + 5) % 7 + 1
                let time = try #require(parts.hour) * 60 + #require(parts.minute)
                let yesterday = weekday == 1 ? 7 : weekday - 1
                let expected = windows.contains { window in
                    window.to > window.from
                        ? window.days.contains(weekday) && (window.from..<window.to).contains(time)
                        : (window.days.contains(weekday) && time >= window.from)
                            || (window.days.contains(yesterday) && time < window.to)
                }
                let found = try CalendarReader.read(plan, at: now, in: zone)
                // The night before a day that is skipped ends with the jump.
                if walk.zone == "Pacific/Apia", windows[0].to < windows[0].from { continue }
                #expect(found.isOpen == expected, "\(walk.zone) \(date): \(found.why)")
            }
        }
    }

    @Test(
        "Zones are the ones of another library, hour by hour over sixty years",
        arguments: [
            "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC",
            "Pacific/Apia", "Europe/Dublin", "America/Santiago", "Africa/Johannesburg",
            "Antarctica/Troll", "Asia/Kathmandu",
        ])
    func sameOffsets(name: String) throws {
        let zone = try ZoneFolder.ofThisMachine.zone(named: name)
        let other = try #require(TimeZone(identifier: name))
        let begin = try moment("1990-01-01T00:30:00Z").milliseconds / 1000
        for hour in stride(from: Int64(0), to: 60 * 8766, by: 5) {
            let seconds = begin + hour * 3600
            let expected = other.secondsFromGMT(
                for: Date(timeIntervalSince1970: Double(seconds)))
            let found = zone.wallTime(at: Timestamp(milliseconds: seconds * 1000)).seconds - seconds
            #expect(found == Int64(expected), "\(name) at \(seconds)")
            if found != Int64(expected) { return }
        }
    }
}
