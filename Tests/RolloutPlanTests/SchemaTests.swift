import FoundationEssentials
import RolloutPlan
import Testing

struct SchemaTests {
    static let path = repository + "docs/reference/plan.schema.json"

    @Test func `the schema for editors is the one that the loader reads by`() throws {
        if LintTests.isRewriting {
            try Data(PlanSchema.json.utf8).write(to: URL(filePath: Self.path))
        }
        #expect(String(decoding: try bytes(of: Self.path), as: UTF8.self) == PlanSchema.json)
    }

    @Test func `the reference names every key of the schema`() throws {
        let text = try ["plan.md", "validators.md"].map {
            String(decoding: try bytes(of: repository + "docs/reference/" + $0), as: UTF8.self)
        }.joined()
        var missing: Set<String> = []
        var rest = Substring(PlanSchema.json)
        // Keys stand as `"key" : {` in the printed form.
        while let mark = rest.firstRange(of: "\" : {") {
            let key = rest[..<mark.lowerBound].split(separator: "\"").last.map(String.init) ?? ""
            let isOfJSONSchema = [
                "properties", "items", "additionalProperties", "$defs", "not", "step", "check",
            ].contains(key)
            if !isOfJSONSchema, !text.contains("`\(key)`"), !text.contains(".\(key)`") {
                missing.insert(key)
            }
            rest = rest[mark.upperBound...]
        }
        #expect(missing.isEmpty)
    }
}
