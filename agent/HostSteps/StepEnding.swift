import FleetWire
import HostProcesses

/// How one try of a step ended.
struct StepEnding: Sendable {
    var status: StepStatus
    var message: String
    var output: String

    static func failed(_ message: String) -> StepEnding {
        StepEnding(status: .failed, message: message, output: "")
    }
}

/// Why a step cannot be done: one sentence with what to do.
struct StepFailure: Error, CustomStringConvertible {
    let reason: String
    /// True if its time ran out.
    var isLate = false
    /// What a program said, redacted.
    var output = ""

    init(_ reason: String) { self.reason = reason }

    var description: String { reason }
}

/// Fills in the strings of a step and places its paths on this host.
struct StepPlace: Sendable {
    let root: String
    let context: TemplateContext

    func fill(_ text: String) throws(StepFailure) -> String {
        do throws(TemplateError) {
            return try context.fill(text)
        } catch {
            throw StepFailure("\(error.reason); correct the step in the plan")
        }
    }

    /// The file or folder that `path` means on this host.
    func path(_ path: String) throws(StepFailure) -> String {
        let filled = try fill(path)
        do throws(HostPathError) {
            return try HostPath.below(root, filled)
        } catch {
            throw StepFailure("\(error.reason); correct the step in the plan")
        }
    }
}
