import FleetWire
import HostProcesses
import Validation

/// Looks at one thing of this host. How to add one: CONTRIBUTING.md, "How to add a validator".
protocol Validator: Sendable {
    /// What it is and takes.
    var spec: ValidatorSpec { get }

    /// Looks, within the check's timeout. The parameters fit the spec: types hold, required ones
    /// are there, templates are filled in, and paths lie below the host's root.
    ///
    /// What blocks goes through `context.blocking` and programs through `context.run`: both end at
    /// the deadline. What cannot be told is `.unknown`, never a pass.
    func look(_ parameters: CheckParameters, _ context: LookContext) async -> Finding
}

/// The parameters of one check, by name; nil if neither the check nor a default gives one.
struct CheckParameters: Sendable {
    let values: [String: ParameterValue]

    /// Text, words, digests, JSON, and paths (absolute, below the root).
    func text(_ name: String) -> String? { values[name]?.text }
    func bytes(_ name: String) -> ByteCount? { values[name]?.bytes }
    /// A number, or a percentage from 0 to 100.
    func number(_ name: String) -> Double? { values[name]?.number }
    func whole(_ name: String) -> Int? { values[name]?.whole }
    func flag(_ name: String) -> Bool? { values[name]?.flag }
    func span(_ name: String) -> Milliseconds? { values[name]?.span }
    func list(_ name: String) -> [ParameterValue] { values[name]?.list ?? [] }
    func texts(_ name: String) -> [String] { list(name).compactMap(\.text) }
    func map(_ name: String) -> [String: ParameterValue] { values[name]?.map ?? [:] }
    func textsByName(_ name: String) -> [String: String] { map(name).compactMapValues(\.text) }
    /// The mappings of a list of them.
    func objects(_ name: String) -> [CheckParameters] {
        list(name).compactMap(\.map).map(CheckParameters.init)
    }

    /// A required parameter.
    subscript(name: String) -> String { values[name]?.text ?? "" }

    init(values: [String: ParameterValue]) { self.values = values }

    /// `call` on this host: templates filled in, paths placed below `root`.
    init(
        _ call: ValidatorCall, of spec: ValidatorSpec, root: String, _ context: TemplateContext
    ) throws(TemplateError) {
        var filled: [String: ParameterValue] = [:]
        for parameter in spec.parameters {
            guard let value = call.parameters[parameter.name] else { continue }
            filled[parameter.name] = try Self.fill(value, parameter.type, root, context)
        }
        values = filled
    }

    private static func fill(
        _ value: ParameterValue, _ type: ParameterType, _ root: String, _ context: TemplateContext
    ) throws(TemplateError) -> ParameterValue {
        switch (type, value) {
        case (.text, .text(let text)): return .text(try context.fill(text))
        case (.path, .text(let text)):
            let filled = try context.fill(text)
            do throws(HostPathError) {
                return .text(try HostPath.below(root, filled))
            } catch {
                throw TemplateError(reason: error.reason)
            }
        case (.list(let element), .list(let items)):
            var filled: [ParameterValue] = []
            for item in items { filled.append(try fill(item, element, root, context)) }
            return .list(filled)
        case (.map(let element, _), .map(let members)):
            var filled: [String: ParameterValue] = [:]
            for (name, item) in members { filled[name] = try fill(item, element, root, context) }
            return .map(filled)
        case (.object(let fields, _), .map(let members)):
            var filled: [String: ParameterValue] = [:]
            for field in fields {
                guard let item = members[field.name] else { continue }
                filled[field.name] = try fill(item, field.type, root, context)
            }
            return .map(filled)
        default: return value
        }
    }
}
