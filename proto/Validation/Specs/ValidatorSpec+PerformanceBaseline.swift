import FleetWire

extension ValidatorSpec {
    /// Times of an endpoint or a program against a baseline.
    package static let performanceBaseline = ValidatorSpec(
        id: "performance_baseline", category: .performance,
        summary: "An endpoint or program is not slower, and fails no oftener, than its baseline.",
        level: .warning,
        parameters: [
            .required(
                "baseline", .path, "What `belay-agent baseline record` wrote."),
            .optional("url", .text, "The endpoint, `http://…`."),
            .optional("argv", .list(.text), "The program and its arguments."),
            .optional(
                "samples", .integer(5...10_000), standard: .whole(50), "How often it is timed."),
            .optional(
                "warmup", .integer(0...1000), standard: .whole(5), "How often it runs before that."),
            .optional(
                "slower_warn", .number(0...1e6), standard: .whole(20), threshold: .warn,
                "It warns if p50 or p95 is longer by more than so many percent."),
            .optional(
                "slower_max", .number(0...1e6), standard: .whole(50), threshold: .fail,
                "It fails if p50 or p95 is longer by more than so many percent."),
            .optional(
                "errors_max", .percent, standard: .whole(1), threshold: .fail,
                "It fails if the share of errors is higher by more than this."),
            .optional(
                "slack", .duration(atLeast: 0), standard: .whole(2),
                "Differences of no more than this do not count, whatever their share."),
        ],
        rules: [
            .exactlyOne(["url", "argv"], what: "something to time"),
            .ascending("slower_warn", "slower_max"),
        ],
        notes: "A whole answer of 200 to 399, or exit 0, is no error. Unknown without a "
            + "baseline, with one of something else, or if nothing could be timed.")
}
