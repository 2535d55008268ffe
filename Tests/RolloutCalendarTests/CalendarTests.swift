import FleetWire
import Foundation
import RolloutCalendar
import RolloutPlan
import Testing

/// One window or freeze held against moments that are written in UTC.
struct CalendarCase: Sendable, CustomTestStringConvertible {
    var what: String
    var zone: String
    var windows: [WorkCalendar.WeeklyWindow] = []
    var freezes: [WorkCalendar.Freeze] = []
    var at: String
    var isOpen: Bool
    var changesAt: String?

    var testDescription: String { what }
}

func window(_ days: [Int], _ from: String, _ to: String) -> WorkCalendar.WeeklyWindow {
    func minutes(_ text: String) -> Int {
        let parts = text.split(separator: ":").compactMap { Int($0) }
        return parts[0] * 60 + parts[1]
    }
    return .init(days: days, from: minutes(from), to: minutes(to))
}

/// `2026-11-25T08:00:30Z`.
func moment(_ text: String) throws -> Timestamp {
    let date = try Date(text, strategy: .iso8601)
    return Timestamp(milliseconds: Int64(date.timeIntervalSince1970 * 1000))
}

private let everyDay = Array(1...7)

@Suite("Calendars")
struct CalendarTests {
    static let cases: [CalendarCase] = [
        // Wednesday, Central European Time.
        .init(
            what: "inside of a window", zone: "Europe/Berlin",
            windows: [window([1, 2, 3, 4], "09:00", "16:00")], at: "2026-11-25T08:00:00Z",
            isOpen: true, changesAt: "2026-11-25T15:00:00Z"),
        .init(
            what: "the last second of a window", zone: "Europe/Berlin",
            windows: [window([1, 2, 3, 4], "09:00", "16:00")], at: "2026-11-25T14:59:59Z",
            isOpen: true, changesAt: "2026-11-25T15:00:00Z"),
        .init(
            what: "a window's end is not part of it, and Friday has none", zone: "Europe/Berlin",
            windows: [window([1, 2, 3, 4], "09:00", "16:00")], at: "2026-11-26T15:00:00Z",
            isOpen: false, changesAt: "2026-11-30T08:00:00Z"),
        .init(
            what: "a window over midnight counts for the day it begins on", zone: "UTC",
            windows: [window([5], "22:00", "02:00")], at: "2026-11-28T01:00:00Z",
            isOpen: true, changesAt: "2026-11-28T02:00:00Z"),
        .init(
            what: "Saturday's night is not open if only Friday's is", zone: "UTC",
            windows: [window([5], "22:00", "02:00")], at: "2026-11-28T22:30:00Z",
            isOpen: false, changesAt: "2026-12-04T22:00:00Z"),
        .init(
            what: "windows that touch are one", zone: "UTC",
            windows: [window([3], "08:00", "10:00"), window([3], "10:00", "12:00")],
            at: "2026-11-25T09:00:00Z", isOpen: true, changesAt: "2026-11-25T12:00:00Z"),
        .init(
            what: "the whole week is always open", zone: "America/New_York",
            windows: [window(everyDay, "00:00", "24:00")], at: "2026-03-08T07:00:00Z",
            isOpen: true, changesAt: nil),
        .init(
            what: "half an hour off", zone: "Asia/Kolkata",
            windows: [window(everyDay, "09:00", "10:00")], at: "2026-11-25T03:30:00Z",
            isOpen: true, changesAt: "2026-11-25T04:30:00Z"),
        // Berlin, 29 March 2026: 02:00 to 03:00 is skipped at 01:00 UTC.
        .init(
            what: "a window that begins in a skipped hour begins after it", zone: "Europe/Berlin",
            windows: [window([7], "02:30", "04:00")], at: "2026-03-29T00:59:59Z",
            isOpen: false, changesAt: "2026-03-29T01:00:00Z"),
        .init(
            what: "a window in a skipped hour does not happen", zone: "Europe/Berlin",
            windows: [window([7], "02:15", "02:45")], at: "2026-03-29T00:00:00Z",
            isOpen: false, changesAt: "2026-04-05T00:15:00Z"),
        .init(
            what: "a window that ends in a skipped hour ends at the jump", zone: "Europe/Berlin",
            windows: [window([7], "01:00", "02:30")], at: "2026-03-29T00:30:00Z",
            isOpen: true, changesAt: "2026-03-29T01:00:00Z"),
        // Berlin, 25 October 2026: 02:00 to 03:00 is there from 00:00 and from 01:00 UTC.
        .init(
            what: "a window in a repeated hour opens the first time", zone: "Europe/Berlin",
            windows: [window([7], "02:15", "02:45")], at: "2026-10-25T00:15:00Z",
            isOpen: true, changesAt: "2026-10-25T00:45:00Z"),
        .init(
            what: "and not the second time", zone: "Europe/Berlin",
            windows: [window([7], "02:15", "02:45")], at: "2026-10-25T01:20:00Z",
            isOpen: false, changesAt: "2026-11-01T01:15:00Z"),
        .init(
            what: "a window around a repeated hour is open all the time", zone: "Europe/Berlin",
            windows: [window([7], "01:00", "04:00")], at: "2026-10-25T01:20:00Z",
            isOpen: true, changesAt: "2026-10-25T03:00:00Z"),
        // Lord Howe moves by half an hour: 5 April 2026, 02:00 becomes 01:30 at 15:00 UTC.
        .init(
            what: "a repeated half hour", zone: "Australia/Lord_Howe",
            windows: [window([7], "01:40", "01:50")], at: "2026-04-04T15:12:00Z",
            isOpen: false, changesAt: "2026-04-11T15:10:00Z"),
        .init(
            what: "a repeated half hour, the first time", zone: "Australia/Lord_Howe",
            windows: [window([7], "01:40", "01:50")], at: "2026-04-04T14:45:00Z",
            isOpen: true, changesAt: "2026-04-04T14:50:00Z"),
        // 4 October 2026: 02:00 to 02:30 is skipped at 15:30 UTC of the 3rd.
        .init(
            what: "a skipped half hour", zone: "Australia/Lord_Howe",
            windows: [window([7], "02:10", "02:40")], at: "2026-10-03T15:00:00Z",
            isOpen: false, changesAt: "2026-10-03T15:30:00Z"),
        // Apia had no 30 December 2011, a Friday: it ended at 10:00 UTC.
        .init(
            what: "a day that is skipped has no window", zone: "Pacific/Apia",
            windows: [window([5], "09:00", "16:00")], at: "2011-12-30T09:59:00Z",
            isOpen: false, changesAt: "2012-01-05T19:00:00Z"),
        .init(
            what: "the day before it", zone: "Pacific/Apia",
            windows: [window([4, 6], "09:00", "16:00")], at: "2011-12-30T02:00:00Z",
            isOpen: false, changesAt: "2011-12-30T19:00:00Z"),
        .init(
            what: "a night before a skipped day ends with it", zone: "Pacific/Apia",
            windows: [window([4], "22:00", "02:00")], at: "2011-12-30T09:00:00Z",
            isOpen: true, changesAt: "2011-12-30T10:00:00Z"),
        .init(
            what: "a freeze closes what a window opens", zone: "Europe/Berlin",
            windows: [window(everyDay, "09:00", "16:00")],
            freezes: [.init(name: "f", from: "2026-11-25T12:00", to: "2026-11-27T00:00")],
            at: "2026-11-25T10:00:00Z", isOpen: true, changesAt: "2026-11-25T11:00:00Z"),
        .init(
            what: "after a freeze the next window opens", zone: "Europe/Berlin",
            windows: [window(everyDay, "09:00", "16:00")],
            freezes: [.init(name: "f", from: "2026-11-25T12:00", to: "2026-11-27T00:00")],
            at: "2026-11-25T11:00:00Z", isOpen: false, changesAt: "2026-11-27T08:00:00Z"),
        .init(
            what: "freezes that overlap are one", zone: "UTC",
            freezes: [
                .init(name: "f", from: "2026-11-25T12:00", to: "2026-11-27T00:00"),
                .init(name: "g", from: "2026-11-26T12:00", to: "2029-01-01T00:00"),
            ],
            at: "2026-11-25T12:00:00Z", isOpen: false, changesAt: "2029-01-01T00:00:00Z"),
        .init(
            what: "only freezes, and the last is over", zone: "UTC",
            freezes: [.init(name: "f", from: "2026-11-25T12:00", to: "2026-11-27T00:00")],
            at: "2026-11-27T00:00:00Z", isOpen: true, changesAt: nil),
        .init(
            what: "a freeze that ends in a repeated hour holds both times", zone: "Europe/Berlin",
            freezes: [.init(name: "f", from: "2026-10-25T02:30", to: "2026-10-25T02:45")],
            at: "2026-10-25T00:50:00Z", isOpen: false, changesAt: "2026-10-25T01:45:00Z"),
        .init(
            what: "far after the last change in the zone's file", zone: "America/New_York",
            windows: [window(everyDay, "09:00", "10:00")], at: "2061-07-01T12:59:59Z",
            isOpen: false, changesAt: "2061-07-01T13:00:00Z"),
    ]

    @Test("A calendar says whether it is open and when that changes", arguments: cases)
    func reading(_ one: CalendarCase) throws {
        let calendar = WorkCalendar(zone: one.zone, windows: one.windows, freezes: one.freezes)
        let reading = try CalendarReader.read(calendar, at: moment(one.at))
        #expect(reading.isOpen == one.isOpen, "\(reading.why)")
        #expect(reading.changesAt == (try one.changesAt.map(moment)), "\(reading.why)")
    }

    @Test("The reason names window or freeze, zone and local times")
    func reasons() throws {
        let calendar = WorkCalendar(
            zone: "Europe/Berlin", windows: [window([1, 2, 3, 4], "09:00", "16:00")],
            freezes: [.init(name: "year's end", from: "2026-12-20T00:00", to: "2027-01-04T00:00")])
        func why(_ text: String, _ calendar: WorkCalendar) throws -> String {
            try CalendarReader.read(calendar, at: moment(text)).why
        }
        #expect(
            try why("2026-11-25T09:00:00Z", calendar)
                == "the window mon-thu 09:00-16:00 (Europe/Berlin) is open until Wed 2026-11-25 "
                + "16:00")
        #expect(
            try why("2026-11-27T09:00:00Z", calendar)
                == "outside of the windows mon-thu 09:00-16:00 (Europe/Berlin); the next opens Mon "
                + "2026-11-30 09:00")
        #expect(
            try why("2026-12-24T09:00:00Z", calendar)
                == "the freeze `year's end` holds until Mon 2027-01-04 00:00 (Europe/Berlin); then "
                + "it opens Mon 2027-01-04 09:00")
        var frozen = calendar
        frozen.windows = []
        #expect(
            try why("2026-11-27T09:00:00Z", frozen)
                == "no freeze holds until `year's end` begins Sun 2026-12-20 00:00 (Europe/Berlin)")
        #expect(
            try why("2027-11-27T09:00:00Z", frozen)
                == "no freeze holds or is to come (Europe/Berlin)")
        #expect(
            try why("2026-12-24T09:00:00Z", frozen)
                == "the freeze `year's end` holds until Mon 2027-01-04 00:00 (Europe/Berlin)")
    }

    @Test("The next openings begin with the present one")
    func openings() throws {
        let calendar = WorkCalendar(
            zone: "Europe/Berlin", windows: [window([1, 4], "09:00", "16:00")], freezes: [])
        let now = try moment("2026-11-26T10:00:00Z")
        let found = try CalendarReader.openings(calendar, from: now, count: 3)
        #expect(
            found.map(\.from) == [
                now, try moment("2026-11-30T08:00:00Z"), try moment("2026-12-03T08:00:00Z"),
            ])
        #expect(found.first?.until == (try moment("2026-11-26T15:00:00Z")))
    }
}

@Suite("Zones of a machine")
struct ZoneFolderTests {
    private func trouble(_ zone: String, _ folder: String) -> String {
        let calendar = WorkCalendar(zone: zone, windows: [], freezes: [])
        do {
            _ = try CalendarReader.read(
                calendar, at: Timestamp(milliseconds: 0), zones: ZoneFolder(path: folder))
            return "read"
        } catch {
            return error.description
        }
    }

    private let folder = ZoneFolder.ofThisMachine.path

    @Test("A machine without zones says what to install")
    func noZones() {
        let text = trouble("Europe/Berlin", "/tmp/belay-there-are-no-zones-here")
        #expect(text.contains("`Europe/Berlin`") && text.contains("install the package tzdata"))
    }

    @Test(
        "A name that is no zone is told with the nearest one",
        arguments: [
            ("Europe/Berln", "did you mean `Europe/Berlin`?"),
            ("europe/berlin", "did you mean `Europe/Berlin`?"),
            ("America/New_Yrok", "did you mean `America/New_York`?"),
            ("../etc/passwd", "is called"), ("/etc/passwd", "is called"), ("", "is called"),
            ("right/UTC", "is called"), ("Europe", "is no time zone file"),
            ("tzdata.zi", "is called"),
        ])
    func unknownZone(name: String, expected: String) {
        #expect(trouble(name, folder).contains(expected))
    }

    @Test("Every cut and every changed byte of a zone's file gives a zone or an error, no crash")
    func hostileFiles() throws {
        let whole = try Data(contentsOf: URL(filePath: folder + "/Europe/Berlin"))
        let work = FileManager.default.temporaryDirectory
            .appending(path: "belay-zones-\(UInt64.random(in: 0...UInt64.max))")
        try FileManager.default.createDirectory(at: work, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: work) }
        var refused = 0
        for place in stride(from: 0, to: whole.count, by: 7) {
            var changed = whole
            changed[place] ^= 0xFF
            for data in [whole.prefix(place), changed] {
                try data.write(to: work.appending(path: "Cut"))
                if trouble("Cut", work.path).contains("no time zone file") { refused += 1 }
            }
        }
        #expect(refused > 100)
    }

    @Test("The operator's zone is TZ, a name or a rule, then the machine's")
    func local() throws {
        let zones = ZoneFolder.ofThisMachine
        let noon = try moment("2026-07-01T12:00:00Z")
        func shown(_ zone: String?) -> String {
            zones.local(environment: zone.map { ["TZ": $0] } ?? [:]).wallTime(at: noon).text
        }
        #expect(shown("Asia/Kolkata") == "2026-07-01T17:30")
        #expect(shown(":Europe/Berlin") == "2026-07-01T14:00")
        #expect(shown("EST5EDT,M3.2.0,M11.1.0") == "2026-07-01T08:00")
        #expect(shown("<+0330>-3:30") == "2026-07-01T15:30")
        #expect(shown("no such zone") == "2026-07-01T12:00")
        #expect(shown(nil).hasPrefix("2026-07-01T") || shown(nil).hasPrefix("2026-06-30T"))
    }
}
