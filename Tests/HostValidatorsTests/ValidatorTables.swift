import FleetWire
import FoundationEssentials
import HostProcesses
import HostValidators
import Testing
import Validation

/// One row of a validator's table: what it is asked, and what it must find.
struct Row: Sendable, CustomTestStringConvertible {
    /// What the row is about.
    var about: String
    var parameters: [String: ParameterValue]
    var status: CheckStatus
    /// A part of what was measured or of the reason.
    var says: String

    init(
        _ about: String, _ parameters: [String: ParameterValue], _ status: CheckStatus,
        says: String = ""
    ) {
        self.about = about
        self.parameters = parameters
        self.status = status
        self.says = says
    }

    var testDescription: String { about }
}

extension CheckRoot {
    /// Runs the validator `id` as a plan's check would, defaults filled in.
    func validate(
        _ id: String, _ parameters: [String: ParameterValue],
        timeout: Milliseconds = .seconds(20)
    ) async throws -> CheckResult {
        let spec = try #require(ValidatorCatalog.spec(id), "the catalog has no \(id)")
        let check = CheckSpec(
            name: id, kind: .validator(spec.call(parameters)), timeout: timeout)
        let results = await CheckRunner(root: path).run([check], context: context)
        let result = try #require(results.first)
        #expect(results.count == 1 && result.kind == id && !result.measured.isEmpty)
        let needsRemedy = result.status != .pass && result.status != .notApplicable
        #expect((result.remedy != nil) == needsRemedy, "\(result)")
        return result
    }

    /// Holds one row of a table.
    func expect(_ id: String, _ row: Row, timeout: Milliseconds = .seconds(20)) async throws {
        let result = try await validate(id, row.parameters, timeout: timeout)
        let said = result.measured + " " + (result.threshold ?? "")
        #expect(result.status == row.status, "\(row.about): \(said)")
        #expect(row.says.isEmpty || said.contains(row.says), "\(row.about): \(said)")
    }

    /// Makes the folders of `name` and writes it.
    func place(_ name: String, _ text: String, mode: Int = 0o644) throws {
        let file = URL(filePath: path + name)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
        try FileManager.default.setAttributes(
            [.posixPermissions: mode], ofItemAtPath: path + name)
    }
}
