package import FleetWire

/// Checks that stand in a JSON file: an array of them, an object with `checks` and `variables`, or
/// a whole plan, of which the checks of its stages are taken.
package struct CheckDocument: Sendable {
    /// The checks; of a plan, those of a later stage that have the name of an earlier one are
    /// called `STAGE/NAME`.
    package let checks: [CheckSpec]
    /// Variables for templates.
    package let variables: [String: String]
    /// All that is wrong; without any the checks are right.
    package let problems: [String]

    /// The document that is `value`.
    package init(_ value: ParameterValue, isPlan: Bool) {
        var reader = ParameterReader()
        var unknown: [String] = []
        let all = value.list == nil ? value.map ?? [:] : ["checks": value]
        variables = (all["variables"]?.map ?? [:]).compactMapValues(Self.text)
        if isPlan {
            checks = Self.stages(all["stages"], &reader)
            if all["stages"]?.map == nil { unknown.append("a plan has `stages`, a mapping") }
        } else {
            for key in all.keys.sorted() where key != "checks" && key != "variables" {
                unknown.append("there is no `\(key)`; expected `checks`, `variables`")
            }
            checks = all["checks"].map { reader.checks($0, at: "checks") } ?? []
            if all["checks"] == nil { unknown.append("there are no `checks`") }
        }
        if unknown.isEmpty, reader.problems.isEmpty, checks.isEmpty {
            unknown.append("it holds no check; nothing would be looked at")
        }
        problems = unknown + reader.problems
    }

    private static func stages(
        _ value: ParameterValue?, _ reader: inout ParameterReader
    ) -> [CheckSpec] {
        var checks: [CheckSpec] = []
        for stage in Stage.allCases {
            guard let found = value?.map?[stage.rawValue]?.map?["checks"] else { continue }
            for var check in reader.checks(found, at: "stages.\(stage.rawValue).checks") {
                let isTaken = checks.contains { $0.name == check.name }
                if isTaken { check.name = "\(stage.rawValue)/\(check.name)" }
                checks.append(check)
            }
        }
        return checks
    }

    private static func text(_ value: ParameterValue) -> String? {
        switch value {
        case .text(let text): text
        case .whole(let number): "\(number)"
        case .fraction(let number): "\(number)"
        case .flag(let flag): "\(flag)"
        case .list, .map: nil
        }
    }
}
