import FleetWire
import RolloutPlan
import Testing

struct QuantityTests {
    @Test(
        arguments: [
            ("30s", 30_000), ("5m", 300_000), ("1h30m", 5_400_000), ("250ms", 250), ("0s", 0),
            ("1d", 86_400_000), ("1m1s1ms", 61_001), ("", nil), ("5", nil), ("-5s", nil),
            ("5 s", nil),
            ("1s1m", nil), ("1s1s", nil), ("1.5s", nil), ("366d", nil),
            ("99999999999999999999s", nil),
            ("9223372036854775807d", nil), ("s", nil), ("1w", nil), ("٣s", nil),
        ] as [(String, Int64?)])
    func `durations are read`(text: String, milliseconds: Int64?) {
        let span = Milliseconds(friendly: text)
        #expect(span?.count == milliseconds)
        if let span, span.count > 0 { #expect(Milliseconds(friendly: span.friendly) == span) }
    }

    @Test(
        arguments: [
            ("5", .number(5)), ("0", .number(0)), ("10%", .percent(10)), ("100%", .percent(100)),
            ("101%", nil), ("-1", nil), ("1.5", nil), ("", nil), ("%", nil), ("10 %", nil),
            ("1000001", nil),
        ] as [(String, Count?)])
    func `counts are read`(text: String, count: Count?) {
        #expect(Count(friendly: text) == count)
        #expect(count.map(\.friendly) ?? text == text)
    }

    @Test(
        arguments: [
            ("4096", 4096), ("500MB", 500_000_000), ("1GiB", 1 << 30), ("1 KiB", 1024),
            ("2kB", 2000),
            ("0", 0), ("MB", nil), ("-1", nil), ("1XB", nil), ("9223372036854775807TiB", nil),
        ] as [(String, UInt64?)])
    func `sizes are read`(text: String, size: UInt64?) {
        #expect(ByteCount(friendly: text)?.count == size)
    }

    @Test(arguments: [
        (Count.percent(10), 9, 0), (.percent(10), 10, 1), (.percent(99), 100, 99),
        (.percent(50), 5, 2), (.percent(100), 7, 7), (.number(3), 1, 3), (.percent(0), 100, 0),
    ])
    func `percentages round down`(count: Count, total: Int, expected: Int) {
        #expect(count.of(total) == expected)
    }

    @Test(
        arguments: [
            ("max_paralel", "max_parallel"), ("rnu", "run"), ("selecter", "selector"), ("x", nil),
            ("completely_other", nil), ("Run", "run"),
        ] as [(String, String?)])
    func `the nearest name is found`(name: String, nearest: String?) {
        #expect(NearestName.of(name, among: ["max_parallel", "run", "selector"]) == nearest)
    }
}
