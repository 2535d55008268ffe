@testable import CoordinatorServer
import Foundation
import Testing
import Yams

@Suite("openapi.yaml")
struct OpenAPITests {
    private static func document() throws -> [String: Any] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(
            contentsOf: root.appendingPathComponent("docs/reference/openapi.yaml"), encoding: .utf8)
        return try #require(try Yams.load(yaml: text) as? [String: Any])
    }

    @Test("describes exactly the routes that are served, with their roles")
    func routes() throws {
        let paths = try #require(try Self.document()["paths"] as? [String: [String: Any]])
        var described: Set<String> = []
        for (path, operations) in paths {
            for (method, operation) in operations where method != "parameters" {
                let role = try #require((operation as? [String: Any])?["x-role"] as? String)
                described.insert("\(method.uppercased()) \(path) \(role)")
            }
        }
        let served = APIRoutes.all.map(\.line)
        #expect(Set(served) == described)
        #expect(served.count == described.count)
    }

    @Test("names no schema, parameter or answer that it does not have")
    func references() throws {
        let document = try Self.document()
        var names: [String] = []
        func walk(_ value: Any) {
            if let map = value as? [String: Any] {
                if let name = map["$ref"] as? String { names.append(name) }
                map.values.forEach(walk)
            } else if let list = value as? [Any] {
                list.forEach(walk)
            }
        }
        walk(document)
        #expect(names.count > 50)
        for name in names {
            var place: Any? = document
            for part in name.dropFirst(2).split(separator: "/") {
                place = (place as? [String: Any])?[String(part)]
            }
            #expect(place != nil, "\(name)")
        }
    }
}
