package import FleetWire

/// One parameter of a validator, or one key of a mapping inside one.
package struct ValidatorParameter: Sendable, Hashable {
    /// What happens once the threshold is crossed.
    package enum Threshold: String, Sendable, Hashable { case warn, fail }

    /// Its name, snake_case, unit last: `bytes_min`.
    package var name: String
    /// What its value may be.
    package var type: ParameterType
    /// True if a check without it is refused.
    package var isRequired: Bool
    /// What it is unless given.
    package var standard: ParameterValue?
    /// Set if it is a threshold: the host's configuration file may set it.
    package var threshold: Threshold?
    /// One line for the reference and for editors.
    package var note: String

    /// A parameter that a check must give.
    package static func required(
        _ name: String, _ type: ParameterType, threshold: Threshold? = nil, _ note: String
    ) -> ValidatorParameter {
        ValidatorParameter(
            name: name, type: type, isRequired: true, standard: nil, threshold: threshold,
            note: note)
    }

    /// A parameter that a check may leave out; without a default it then asks nothing.
    package static func optional(
        _ name: String, _ type: ParameterType, standard: ParameterValue? = nil,
        threshold: Threshold? = nil, _ note: String
    ) -> ValidatorParameter {
        ValidatorParameter(
            name: name, type: type, isRequired: false, standard: standard, threshold: threshold,
            note: note)
    }
}
