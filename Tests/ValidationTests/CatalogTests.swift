import FleetWire
import FoundationEssentials
import Testing
import Validation

let repository =
    String(
        #filePath.prefix(
            upTo: #filePath.firstRange(of: "/Tests/")?.lowerBound ?? #filePath.endIndex)) + "/"
let isRewriting = ProcessInfo.processInfo.environment["BELAY_REWRITE"] == "1"

/// Holds `text` against the file, or writes it anew.
func compare(_ text: String, with path: String) throws {
    if isRewriting { try Data(text.utf8).write(to: URL(filePath: path)) }
    let found = FileManager.default.contents(atPath: path) ?? Data()
    #expect(String(decoding: found, as: UTF8.self) == text, "\(path)")
}

@Suite("The catalog of validators")
struct CatalogTests {
    @Test func `ids are unique and do not collide with the keys of a check`() {
        let ids = ValidatorCatalog.all.map(\.id)
        #expect(Set(ids).count == ids.count)
        let keys: Set = ["name", "level", "timeout", "phase", "on_unknown", "validator"]
        #expect(keys.isDisjoint(with: ids))
    }

    @Test(arguments: ValidatorCatalog.all.map(\.id))
    func `a specification holds together`(id: String) throws {
        let spec = try #require(ValidatorCatalog.spec(id))
        let names = spec.parameters.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(spec.summary.hasSuffix(".") && !spec.stages.isEmpty)
        for parameter in spec.parameters {
            #expect(parameter.note.hasSuffix("."), "\(parameter.name)")
            if let standard = parameter.standard {
                #expect(parameter.type.takes(standard), "\(parameter.name)")
                #expect(!parameter.isRequired, "\(parameter.name)")
            }
        }
        for rule in spec.rules {
            let used =
                switch rule {
                case .exactlyOne(let list, _), .atLeastOne(let list), .atMostOne(let list): list
                case .ascending(let low, let high): [low, high]
                case .weightedChecks(let name): [name]
                }
            #expect(Set(used).isSubset(of: names))
        }
    }

    /// Agents that know no other form must still understand them.
    @Test func `the five oldest have no defaults`() throws {
        for id in CheckKind.oldest {
            let spec = try #require(ValidatorCatalog.spec(id))
            #expect(spec.parameters.allSatisfy { $0.standard == nil }, "\(id)")
        }
    }

    @Test func `the reference is written from the catalog`() throws {
        try compare(
            ValidatorReference.markdown, with: repository + "docs/reference/validators.md")
    }
}
