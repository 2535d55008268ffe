import FleetWire
import Validation

/// The shapes of validators in plans, and their values; both follow from the catalog.
enum ValidatorShape {
    /// The key of a check that names the validator.
    static func field(_ spec: ValidatorSpec) -> ObjectShape.Field {
        ObjectShape.Field(
            spec.id,
            .object(
                ObjectShape(
                    what: "the check `\(spec.id)`", fields: spec.parameters.map(field),
                    choices: spec.rules.compactMap(choice))), spec.summary)
    }

    private static func field(_ parameter: ValidatorParameter) -> ObjectShape.Field {
        ObjectShape.Field(
            parameter.name, shape(parameter.type), required: parameter.isRequired, parameter.note)
    }

    /// Rules that hold whatever else is there; the others are of the plan checker.
    private static func choice(_ rule: ValidatorSpec.Rule) -> ObjectShape.Choice? {
        switch rule {
        case .exactlyOne(let keys, let what):
            ObjectShape.Choice(keys: keys, isRequired: true, what: what)
        case .atMostOne(let keys):
            ObjectShape.Choice(keys: keys, isRequired: false, what: "a choice")
        case .atLeastOne, .ascending, .weightedChecks: nil
        }
    }

    private static func shape(_ type: ParameterType) -> Shape {
        switch type {
        case .text, .path: .text
        case .word(let words): .word(words)
        case .bytes: .size
        case .percent: .share
        case .duration(let atLeast): .span(atLeast: atLeast)
        case .integer(let range): .integer(range)
        case .number(let range): .numberIn(range)
        case .boolean: .boolean
        case .digest: .digest
        case .list(let element): .list(shape(element))
        case .map(let element, let what): .names(shape(element), what: what)
        case .object(let fields, let what):
            .object(ObjectShape(what: what, fields: fields.map(field)))
        case .json: .json
        }
    }

    /// The parameters as they were given; what is malformed was reported and is left out.
    static func parameters(
        _ value: PlacedValue, of fields: [ValidatorParameter]
    ) -> [String: ParameterValue] {
        var given: [String: ParameterValue] = [:]
        for field in fields {
            guard let item = value[field.name] else { continue }
            given[field.name] = self.value(item, as: field.type)
        }
        return given
    }

    private static func value(_ value: PlacedValue, as type: ParameterType) -> ParameterValue? {
        switch type {
        case .text, .path, .word, .json: value.text.map { .text($0) }
        case .bytes: value.size.map { .bytes($0) }
        case .percent, .number: value.number.map { .number($0) }
        case .duration: value.span.map { .whole(Int($0.count)) }
        case .integer: value.integer.map { .whole($0) }
        case .boolean: value.boolean.map { .flag($0) }
        case .digest: value.digest.map { .text("\($0)") }
        case .list(let element):
            .list(value.list.compactMap { self.value($0, as: element) })
        case .map(let element, _):
            .map(
                Dictionary(
                    value.entries.compactMap { entry in
                        self.value(entry.value, as: element).map { (entry.key, $0) }
                    }
                ) { first, _ in first })
        case .object(let fields, _):
            .map(filled(parameters(value, of: fields), fields))
        }
    }

    /// Mappings inside parameters take their defaults too.
    private static func filled(
        _ given: [String: ParameterValue], _ fields: [ValidatorParameter]
    ) -> [String: ParameterValue] {
        var all = given
        for field in fields where all[field.name] == nil { all[field.name] = field.standard }
        return all
    }
}
