package import FleetWire

/// Reads parameters that stand in JSON as people write them, where no file of a plan is at hand:
/// the agent's configuration and its files of checks. Collects all that is wrong.
package struct ParameterReader: Sendable {
    /// What is wrong, each with its place.
    package private(set) var problems: [String] = []

    /// A reader that found nothing wrong yet.
    package init() {}

    /// Thresholds by validator and name, of `{"validators": {…}}`.
    package mutating func configuration(
        _ value: ParameterValue
    ) -> [String: [String: ParameterValue]] {
        var thresholds: [String: [String: ParameterValue]] = [:]
        for (key, value) in members(value, at: "the configuration") {
            guard key == "validators" else {
                unknown(key, among: ["validators"], at: "the configuration")
                continue
            }
            for (id, value) in members(value, at: "validators") {
                guard let spec = ValidatorCatalog.spec(id) else {
                    unknown(id, among: ValidatorCatalog.all.map(\.id), at: "validators")
                    continue
                }
                thresholds[id] = read(value, as: spec.thresholds, at: "validators.\(id)")
            }
        }
        return thresholds
    }

    /// Checks as they stand in plans, `[{"name": …, "tcp": {…}}]`.
    package mutating func checks(_ value: ParameterValue, at place: String) -> [CheckSpec] {
        guard let items = value.list else {
            problems.append("\(place): expected a list")
            return []
        }
        var names: Set<String> = []
        let checks = items.enumerated().compactMap { index, item in
            check(item, at: "\(place)[\(index)]")
        }
        for check in checks where !names.insert(check.name).inserted {
            problems.append("\(place): two checks have the name `\(check.name)`")
        }
        return checks
    }

    private static let keys: [ValidatorParameter] = [
        .required("name", .text, "The name."),
        .optional("phase", .text, "The phase."),
        .optional("level", .word(["critical", "warning", "info"]), "The level."),
        .optional("timeout", .duration(atLeast: 1), "The timeout."),
        .optional("on_unknown", .word(["fail", "warn"]), "What unknown counts as."),
    ]

    private mutating func check(_ value: ParameterValue, at place: String) -> CheckSpec? {
        let members = Dictionary(uniqueKeysWithValues: members(value, at: place))
        let ids = members.keys.filter { ValidatorCatalog.spec($0) != nil }.sorted()
        guard let id = ids.first, ids.count == 1, let spec = ValidatorCatalog.spec(id),
            let body = members[id]
        else {
            for key in members.keys.sorted() where !Self.keys.contains(where: { $0.name == key }) {
                guard ids.isEmpty else { break }
                unknown(key, among: ValidatorCatalog.all.map(\.id), at: place)
            }
            problems.append("\(place): a check names exactly one validator")
            return nil
        }
        let frame = read(.map(members.filter { $0.key != id }), as: Self.keys, at: place)
        for key in frame.missing(Self.keys) {
            problems.append("\(place): a check needs a `\(key)`")
        }
        let call = spec.call(read(body, as: spec.parameters, at: "\(place).\(id)"))
        if problems.isEmpty {
            problems += spec.problems(of: call).map { "\(place).\(id): \($0.reason)" }
        }
        return CheckSpec(
            name: frame["name"]?.text ?? "", kind: CheckKind(call),
            level: frame["level"]?.text.flatMap(CheckLevel.init) ?? spec.level,
            timeout: frame["timeout"]?.span ?? .seconds(10), phase: frame["phase"]?.text,
            onUnknown: frame["on_unknown"]?.text.flatMap(UnknownPolicy.init))
    }

    /// The members of `value` that `fields` name, as their types say.
    package mutating func read(
        _ value: ParameterValue, as fields: [ValidatorParameter], at place: String
    ) -> [String: ParameterValue] {
        var given: [String: ParameterValue] = [:]
        for (name, value) in members(value, at: place) {
            guard let field = fields.first(where: { $0.name == name }) else {
                unknown(name, among: fields.map(\.name), at: place)
                continue
            }
            given[name] = read(value, as: field.type, at: "\(place).\(name)")
        }
        return given
    }

    private mutating func read(
        _ value: ParameterValue, as type: ParameterType, at place: String
    ) -> ParameterValue? {
        let read: ParameterValue? =
            switch type {
            case .bytes:
                value.bytes.map { .bytes($0) }
                    ?? value.text.flatMap { ByteCount(friendly: $0) }.map { .bytes($0) }
            case .duration:
                value.text.flatMap { Milliseconds(friendly: $0) }.map { .whole(Int($0.count)) }
            case .percent: Self.percent(value)
            case .list(let element):
                value.list.map { items in
                    .list(
                        items.enumerated().compactMap { index, item in
                            self.read(item, as: element, at: "\(place)[\(index)]")
                        })
                }
            case .map(let element, _):
                value.map.map { _ in
                    .map(
                        Dictionary(
                            uniqueKeysWithValues: members(value, at: place).compactMap {
                                key, item in
                                self.read(item, as: element, at: "\(place).\(key)").map {
                                    (key, $0)
                                }
                            }))
                }
            case .object(let fields, _): object(value, fields, at: place)
            case .json:
                value.map == nil
                    ? value
                    : (try? WireJSON.encode(value)).map {
                        .text(String(decoding: $0, as: UTF8.self))
                    }
            case .text, .path, .word, .integer, .number, .boolean, .digest: value
            }
        guard let read, type.takes(read) else {
            if case .object = type, value.map != nil { return nil }
            problems.append("\(place): expected \(type.name)")
            return nil
        }
        return read
    }

    private mutating func object(
        _ value: ParameterValue, _ fields: [ValidatorParameter], at place: String
    ) -> ParameterValue? {
        guard value.map != nil else { return nil }
        var given = read(value, as: fields, at: place)
        for field in fields where given[field.name] == nil {
            given[field.name] = field.standard
            if field.isRequired { problems.append("\(place): needs `\(field.name)`") }
        }
        return .map(given)
    }

    private static func percent(_ value: ParameterValue) -> ParameterValue? {
        if value.number != nil { return value }
        guard let text = value.text, text.hasSuffix("%"), let number = Double(text.dropLast()),
            number.isFinite
        else { return nil }
        return .number(number)
    }

    private mutating func members(
        _ value: ParameterValue, at place: String
    ) -> [(String, ParameterValue)] {
        guard let map = value.map else {
            problems.append("\(place): expected a mapping")
            return []
        }
        return map.sorted { $0.key < $1.key }
    }

    private mutating func unknown(_ name: String, among known: [String], at place: String) {
        let hint = NearestName.hint(name, among: known)
        let all = "; expected " + known.sorted().map { "`\($0)`" }.joined(separator: ", ")
        let tail = !hint.isEmpty ? hint : known.isEmpty ? "" : known.count > 12 ? "" : all
        problems.append("\(place): there is no `\(name)`\(tail)")
    }
}

extension [String: ParameterValue] {
    /// Names of the required ones of `fields` that are not there.
    fileprivate func missing(_ fields: [ValidatorParameter]) -> [String] {
        fields.filter { $0.isRequired && self[$0.name] == nil }.map(\.name)
    }
}
