import Foundation

/// The part of JSON Schema 2020-12 that the wire's schemas use, strict: a member that a schema does
/// not name is a problem, so that code cannot say more than the contract.
struct JSONSchema {
    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("proto/spec")

    private let types: [String: Any]
    private let root: [String: Any]
    /// Members of objects that were seen, as `definition.member`.
    private(set) var seen: Set<String> = []

    init(named name: String) throws {
        root = try Self.read("schema/\(name).json")
        types = try Self.read("schema/types.json")["$defs"] as? [String: Any] ?? [:]
    }

    static func read(_ path: String) throws -> [String: Any] {
        let data = try Data(contentsOf: folder.appendingPathComponent(path))
        return try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
    }

    /// All problems of `value`; empty if it fits.
    mutating func problems(of value: Any) -> [String] { check(value, root, at: "$", in: "body") }

    /// Members that the schema names below its root and that no value has shown yet.
    func unseen() -> Set<String> {
        var named: Set<String> = []
        collect(root, in: "body", into: &named, visited: [])
        return named.subtracting(seen)
    }

    private func collect(
        _ schema: [String: Any], in name: String, into named: inout Set<String>,
        visited: Set<String>
    ) {
        if let (definition, target) = resolve(schema) {
            if visited.contains(definition) { return }
            collect(target, in: definition, into: &named, visited: visited.union([definition]))
            return
        }
        if let items = schema["items"] as? [String: Any] {
            collect(items, in: name, into: &named, visited: visited)
        }
        for (key, member) in schema["properties"] as? [String: [String: Any]] ?? [:] {
            named.insert("\(name).\(key)")
            collect(member, in: "\(name).\(key)", into: &named, visited: visited)
        }
    }

    private func resolve(_ schema: [String: Any]) -> (name: String, schema: [String: Any])? {
        guard let reference = schema["$ref"] as? String,
            let name = reference.split(separator: "/").last.map(String.init),
            let target = types[name] as? [String: Any]
        else { return nil }
        return (name, target)
    }

    private mutating func check(
        _ value: Any, _ schema: [String: Any], at path: String, in name: String
    ) -> [String] {
        if let (definition, target) = resolve(schema) {
            return check(value, target, at: path, in: definition)
        }
        // The empty schema takes anything.
        if schema.isEmpty { return [] }
        switch schema["type"] as? String {
        case "object": return checkObject(value, schema, at: path, in: name)
        case "array":
            guard let array = value as? [Any] else { return ["\(path): not an array"] }
            guard array.count >= schema["minItems"] as? Int ?? 0 else {
                return ["\(path): too few"]
            }
            let items = schema["items"] as? [String: Any] ?? [:]
            return array.enumerated().flatMap { check($1, items, at: "\(path)[\($0)]", in: name) }
        case "string": return checkString(value, schema, at: path)
        case "integer":
            guard let number = value as? NSNumber,
                number.doubleValue.rounded() == number.doubleValue
            else { return ["\(path): not an integer"] }
            let minimum = schema["minimum"] as? Int ?? .min
            return number.intValue < minimum ? ["\(path): below \(minimum)"] : []
        case "number": return value is NSNumber ? [] : ["\(path): not a number"]
        case "boolean": return value is NSNumber ? [] : ["\(path): not a boolean"]
        default: return ["\(path): the schema has no type"]
        }
    }

    private func checkString(_ value: Any, _ schema: [String: Any], at path: String) -> [String] {
        guard let text = value as? String else { return ["\(path): not a string"] }
        if let allowed = schema["enum"] as? [String], !allowed.contains(text) {
            return ["\(path): \(text) is none of \(allowed)"]
        }
        if let pattern = schema["pattern"] as? String,
            text.range(of: pattern, options: .regularExpression) == nil
        {
            return ["\(path): \(text) does not match \(pattern)"]
        }
        let lengths = (schema["minLength"] as? Int ?? 0)...(schema["maxLength"] as? Int ?? .max)
        return lengths.contains(text.count) ? [] : ["\(path): length \(text.count)"]
    }

    private mutating func checkObject(
        _ value: Any, _ schema: [String: Any], at path: String, in name: String
    ) -> [String] {
        guard let object = value as? [String: Any] else { return ["\(path): not an object"] }
        let properties = schema["properties"] as? [String: [String: Any]]
        let others = schema["additionalProperties"] as? [String: Any]
        var problems: [String] = []
        for key in schema["required"] as? [String] ?? [] where object[key] == nil {
            problems.append("\(path).\(key): missing")
        }
        let sizes =
            (schema["minProperties"] as? Int ?? 0)...(schema["maxProperties"] as? Int ?? .max)
        if !sizes.contains(object.count) { problems.append("\(path): \(object.count) members") }
        for (key, member) in object {
            if let known = properties?[key] {
                seen.insert("\(name).\(key)")
                problems += check(member, known, at: "\(path).\(key)", in: "\(name).\(key)")
            } else if let others {
                problems += check(member, others, at: "\(path).\(key)", in: "\(name).\(key)")
            } else if properties != nil {
                problems.append("\(path).\(key): the schema does not know it")
            }
        }
        return problems
    }
}
