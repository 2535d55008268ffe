import FleetWire

extension ValidatorSpec {
    /// Recorded requests, answered alike.
    package static let apiCompatibility = ValidatorSpec(
        id: "api_compatibility", category: .compatibility,
        summary: "Recorded requests get answers of the same status and the same JSON shape.",
        parameters: replay + [
            .optional(
                "added", .word(["pass", "warn", "fail"]), standard: .text("warn"),
                "What members are that were not there when it was recorded.")
        ],
        notes: replayNotes)

    /// Recorded requests of old clients, answered so that they can go on.
    package static let backwardCompatibility = ValidatorSpec(
        id: "backward_compatibility", category: .compatibility,
        summary: "Recorded requests of older clients get answers that these can use.",
        parameters: replay,
        notes: "The status is of the same class, and every member that was recorded is there with "
            + "its type; what was added does not matter. " + replayNotes)

    private static let replay: [ValidatorParameter] = [
        .required("recording", .path, "The recorded requests and answers."),
        .required("url", .text, "What the paths of requests are put behind, `http://host:port`."),
        .optional(
            "unsafe", .boolean, standard: .flag(false),
            "Whether requests that may change something are sent too: all but GET, HEAD, OPTIONS."),
        .optional(
            "latency_warn", .duration(atLeast: 1), threshold: .warn,
            "It warns if an answer takes longer."),
    ]

    private static let replayNotes =
        "A recording is JSON Lines: `{\"request\": {\"method\": \"GET\", \"path\": \"/x\", "
        + "\"headers\": {}, \"body\": \"\"}, \"response\": {\"status\": 200, \"body\": …}}`. The "
        + "elements of an array must each have the shape of one that was recorded; what was `null` "
        + "or an empty array may be anything. Unknown if it holds no request, or one that is not "
        + "sent because it is unsafe, or the service cannot be reached."
}
