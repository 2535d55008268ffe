import FleetWire
import Validation

extension PlanChecker {
    /// A validator's parameters by the catalog: those of plans that came by the API too.
    mutating func checkCall(_ call: ValidatorCall, _ path: PlanPath) {
        guard let spec = ValidatorCatalog.spec(call.id) else {
            let hint = NearestName.hint(call.id, among: ValidatorCatalog.all.map(\.id))
            return error(path, "no check is called `\(call.id)`\(hint)")
        }
        let here = path[call.id]
        if spec.scope == .fleet {
            error(here, "`\(call.id)` speaks of the fleet; no host can run it")
        }
        if let stage = Self.stage(of: path), !spec.stages.contains(stage) {
            let stages = spec.stages.map { "`\($0.rawValue)`" }.joined(separator: ", ")
            error(
                here, "`\(call.id)` has no meaning in \(stage.rawValue); expected \(stages)",
                atKey: true)
        }
        for problem in spec.problems(of: call) {
            error(problem.parameter.map { here[$0] } ?? here, problem.reason)
        }
        for parameter in spec.parameters {
            guard let value = call.parameters[parameter.name] else { continue }
            checkValue(value, as: parameter.type, here[parameter.name])
        }
    }

    /// The stage that a path leads into; nil for gates.
    private static func stage(of path: PlanPath) -> Stage? {
        guard path.parts.first == .key("stages"), path.parts.count > 1,
            case .key(let name) = path.parts[1]
        else { return nil }
        return Stage(rawValue: name)
    }

    private mutating func checkValue(
        _ value: ParameterValue, as type: ParameterType, _ path: PlanPath
    ) {
        switch (type, value) {
        case (.text, .text(let text)):
            if text.isEmpty { error(path, "the text is empty") }
            checkTemplate(text, path)
        case (.path, .text(let text)): checkPath(text, path)
        case (.list(let element), .list(let items)):
            if items.isEmpty { error(path, "the list is empty; nothing would be looked at") }
            for (index, item) in items.enumerated() { checkValue(item, as: element, path[index]) }
        case (.map(let element, _), .map(let members)):
            if members.isEmpty { error(path, "the mapping is empty; nothing would be looked at") }
            for (name, item) in members.sorted(by: { $0.key < $1.key }) {
                checkValue(item, as: element, path[name])
            }
        case (.object(let fields, _), .map(let members)):
            for field in fields {
                guard let item = members[field.name] else { continue }
                checkValue(item, as: field.type, path[field.name])
            }
        default: break
        }
    }
}
