import FleetWire
import Foundation
import Testing

@Suite("Keys of JSON from the wire")
struct KeyConversionTests {
    /// The keys of an object, as a decoder hands them over.
    private struct Keys: Decodable, Equatable {
        struct Name: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }
        let names: Set<String>

        init(from decoder: any Decoder) throws {
            names = Set(try decoder.container(keyedBy: Name.self).allKeys.map(\.stringValue))
        }
    }

    @Test(
        "They are converted from snake_case, whichever way they are decoded",
        arguments: [
            "plain", "camelCase", "_0", "__", "_", "", "x_", "x__", "_x", "a_b", "_a_b_",
            "plan_digest",
            "a__b", "0_1", #"a\u005fb"#, #"a\"_b"#, #"\\_"#, "ü_x", "_ü", "a:b", "{_a}", "a b_c",
        ])
    func converted(key: String) throws {
        let reference = JSONDecoder()
        reference.keyDecodingStrategy = .convertFromSnakeCase
        for text in [#"{"\#(key)":1}"#, #"{"a":"x_y","\#(key)" : {"n":"b_c"}}"#] {
            let expected = try reference.decode(Keys.self, from: Data(text.utf8))
            #expect(try WireJSON.decode(Keys.self, from: Array(text.utf8)) == expected, "\(text)")
        }
    }

    @Test("Keys of a dictionary are values and stay as they are")
    func dictionary() throws {
        let text = #"{"zone_a":"b_c","_0":"d"}"#
        let found = try WireJSON.decode([String: String].self, from: Array(text.utf8))
        #expect(found == ["zone_a": "b_c", "_0": "d"])
    }
}
