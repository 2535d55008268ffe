import FleetWire

/// What a value in a plan's file may look like. One table of shapes (`PlanShape`) drives the reader
/// and the JSON Schema, so that editors and `belay lint` know the same keys.
indirect enum Shape: Sendable {
    /// Text; plain numbers and words such as `on` are taken as they are written.
    case text
    case integer(ClosedRange<Int>)
    case boolean
    /// A duration of at least so many milliseconds.
    case span(atLeast: Int64)
    case count(atLeast: Int)
    case size
    case digest
    /// A decimal number, neither infinite nor NaN.
    case number
    case numberIn(ClosedRange<Double>)
    /// From 0 to 100, `5`, `5%` or `0.5%`.
    case share
    /// `1%` to `100%`.
    case percentage
    /// A day of the week or a range of them, `mon-fri`.
    case days
    /// `09:00`; `24:00` too.
    case timeOfDay
    /// `2026-12-20T00:00`.
    case wallTime
    case word([String])
    case list(Shape)
    /// A mapping whose keys are names that the operator chooses.
    case names(Shape, what: String)
    case object(ObjectShape)
    /// JSON text, or the same as a YAML mapping.
    case json

    /// What was expected, for messages.
    var expected: String {
        switch self {
        case .text: "text"
        case .integer(let range):
            range.upperBound == .max
                ? "a whole number, \(range.lowerBound) or more"
                : "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .boolean: "true or false"
        case .span(let atLeast):
            atLeast <= 0
                ? "a duration such as `30s`, `5m` or `1h30m`"
                : "a duration of at least \(Milliseconds(atLeast).friendly), such as `30s` or `5m`"
        case .count(let atLeast):
            atLeast == 0
                ? "a count such as `5` or `10%`"
                : "a count of at least \(atLeast), such as `5`, or a percentage such as `10%`"
        case .size: "a size in bytes such as `500MB` or `1GiB`"
        case .number: "a number such as `0.01`"
        case .numberIn(let range):
            range.upperBound == .greatestFiniteMagnitude
                ? "a number of at least \(range.lowerBound)"
                : "a number from \(range.lowerBound) to \(range.upperBound)"
        case .share: "a percentage from 0 to 100 such as `5%`"
        case .percentage: "a percentage from `1%` to `100%`"
        case .days:
            "a day (" + WeekDays.names.map { "`\($0)`" }.joined(separator: ", ")
                + ") or a range such as `mon-fri`"
        case .timeOfDay: "a time of day such as `09:00`"
        case .wallTime: "a local time such as `2026-12-20T00:00`"
        case .digest: "`sha256:` and 64 hexadecimal digits in lower case"
        case .word(let words): "one of " + words.map { "`\($0)`" }.joined(separator: ", ")
        case .list: "a list"
        case .names(_, let what): "a mapping from \(what)"
        case .object(let object): "\(object.what), a mapping"
        case .json: "a mapping, or JSON text of an object"
        }
    }
}

/// A mapping with known keys.
struct ObjectShape: Sendable {
    /// Keys of which exactly one (or at most one) must be there.
    struct Choice: Sendable {
        var keys: [String]
        var isRequired: Bool
        /// `an action`, for messages.
        var what: String
        /// What to do if several are there; may be empty.
        var advice = ""
        /// What messages say in place of the keys, if there are too many of them.
        var listing: String?

        var allowed: String { listing ?? keys.map { "`\($0)`" }.joined(separator: ", ") }
    }

    /// `a step`, for messages.
    var what: String
    var fields: [Field]
    var choices: [Choice] = []

    /// One key.
    struct Field: Sendable {
        var key: String
        var shape: Shape
        var isRequired: Bool
        /// One sentence for editors.
        var note: String

        init(_ key: String, _ shape: Shape, required: Bool = false, _ note: String) {
            self.key = key
            self.shape = shape
            isRequired = required
            self.note = note
        }
    }
}

extension ObjectShape {
    /// The keys for messages; those of a choice with a listing of its own stand together.
    var expectedKeys: String {
        let hidden = choices.filter { $0.listing != nil }
        let keys = fields.map(\.key).filter { key in !hidden.contains { $0.keys.contains(key) } }
        return (keys.map { "`\($0)`" } + hidden.map { "one of \($0.allowed)" })
            .joined(separator: ", ")
    }
}
