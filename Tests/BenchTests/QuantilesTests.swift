import Testing

@testable import belay_bench

@Suite("What several runs of a measurement gave")
struct QuantilesTests {
    @Test(
        "The median stands in the middle, whatever the order",
        arguments: [
            ([3.0], 3.0), ([5.0, 1.0, 3.0], 3.0), ([4.0, 1.0, 3.0, 2.0], 2.5),
            ([9.0, 1.0, 1.0, 1.0, 1.0], 1.0),
        ])
    func median(_ values: [Double], _ expected: Double) throws {
        let found = try #require(Quantiles(values))
        #expect(found.median == expected)
        #expect(found.least == values.min())
        #expect(found.most == values.max())
        #expect(found.count == values.count)
    }

    @Test("Nothing measured has no median")
    func empty() {
        #expect(Quantiles([]) == nil)
    }

    @Test("What others used of the processors is all work without our own")
    func othersShare() throws {
        let text = """
            cpu  100 0 100 5000 50 0 0 0 0 0
            cpu0 1 0 0 0 0 0 0 0 0 0
            cpu1 1 0 0 0
            intr 5
            """
        let before = try #require(ProcessorTimes.parse(text, ticksPerSecond: 100))
        let after = ProcessorTimes(busy: before.busy + 3, processors: 2)
        #expect(before.busy == 2)
        #expect(before.processors == 2)
        // 3 s of work in 2 s on two processors, 2 s of it ours: a quarter is that of others.
        #expect(ProcessorTimes.share(before, after, without: 2, seconds: 2) == 0.25)
        #expect(ProcessorTimes.share(before, after, without: 9, seconds: 2) == 0)
        #expect(ProcessorTimes.parse("cpu  1 2 3\n", ticksPerSecond: 100) == nil)
    }

    @Test(
        "A number has about three digits",
        arguments: [
            (0.0, "0.000"), (0.0123, "0.012"), (0.5, "0.50"), (3.14159, "3.14"), (31.4159, "31.4"),
            (314.159, "314"), (12_345.0, "12345"),
        ])
    func numbers(_ value: Double, _ text: String) {
        #expect(Narrator.number(value) == text)
    }
}
