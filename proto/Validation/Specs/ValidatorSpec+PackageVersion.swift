import FleetWire

extension ValidatorSpec {
    /// A package of Debian.
    package static let packageVersion = ValidatorSpec(
        id: "package_version", category: .service,
        summary: "A Debian package is installed, in a version of a range.",
        parameters: [.required("name", .text, "The package, such as `nginx`.")]
            + ValidatorParameter.versionRange,
        rules: [.anyVersion],
        notes: "Asks `dpkg-query`; versions are ordered as dpkg orders them.")
}
