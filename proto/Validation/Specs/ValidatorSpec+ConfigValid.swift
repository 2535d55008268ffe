import FleetWire

extension ValidatorSpec {
    /// The syntax of configuration files, and their JSON Schema.
    package static let configValid = ValidatorSpec(
        id: "config_valid", category: .configuration,
        summary: "Files of a configuration are valid YAML, JSON, TOML or INI, and fit a schema.",
        parameters: [
            .required(
                "paths", .list(.path),
                "Files, and folders of which all files are meant whose names say their format."),
            .optional(
                "format", .word(["yaml", "json", "toml", "ini"]),
                "The format of all of them; else their names end with .yaml, .yml, .json, .toml "
                    + "or .ini."),
            .optional("schema", .json, "A JSON Schema that each document must fit."),
            .optional("schema_file", .path, "A file with such a schema."),
            .optional(
                "may_be_empty", .boolean, standard: .flag(false),
                "Whether a file of YAML, TOML or INI may hold nothing."),
        ],
        rules: [.atMostOne(["schema", "schema_file"])],
        notes: "Each failure names line and column, or line and key, and never a value. "
            + "It warns of keys that stand twice in JSON and INI, which programs read differently; "
            + "in YAML and TOML they fail. Symbolic links in folders are not followed. "
            + "Of JSON Schema it knows `type`, `enum`, `const`, `properties`, "
            + "`additionalProperties`, `required`, `items`, `minimum`, `maximum`, "
            + "`exclusiveMinimum`, `exclusiveMaximum`, `minLength`, `maxLength`, `minItems`, "
            + "`maxItems`, `minProperties`, `maxProperties`, `pattern`, and annotations; unknown "
            + "if the schema has any other keyword, if a file's format is not known or it is "
            + "larger than 1 MiB, or if no file was read.")
}
