import FleetWire
import OperatorAPI
import RolloutPlan

/// Why a command ends without having done what was asked.
struct CommandFailure: Error, Equatable {
    /// With what the process ends.
    var status: ExitStatus
    /// What was attempted, on what, and why it failed; no full stop is added.
    var message: String
    /// What the operator can do.
    var remedy: String?

    init(_ status: ExitStatus, _ message: String, remedy: String? = nil) {
        self.status = status
        self.message = message
        self.remedy = remedy
    }

    /// A refusal of the coordinator's, with what was attempted before it.
    init(attempt: String, refusal: APIFailure) {
        status = ExitStatus(apiCode: refusal.code)
        message = "\(attempt): \(refusal.message)"
        remedy = refusal.remedy
        if remedy == nil, status == .notAuthorised {
            remedy =
                "set BELAY_TOKEN to a token whose role may do this; an admin makes one with "
                + "`belay token access create`"
        }
    }
}

/// Ends the process with a status when all that is to be said was said.
struct EndWith: Error { var status: ExitStatus }

/// How errors are written: for people, or as one JSON object a line.
enum FailureText {
    /// True if the arguments ask for JSON, whatever else is wrong with them.
    static func wantsJSON(_ arguments: [String]) -> Bool {
        for (index, argument) in arguments.enumerated() {
            switch argument {
            case "-ojson", "-o=json", "--output=json": return true
            case "-o", "--output":
                if arguments.dropFirst(index + 1).first == "json" { return true }
            case "--": return false
            default: continue
            }
        }
        return false
    }

    static func lines(_ failure: CommandFailure, json: Bool, style: Style) -> [String] {
        if json {
            let body = APIFailure(
                code: failure.status.code, message: failure.message, remedy: failure.remedy)
            guard let bytes = try? WireJSON.encode(body) else { return [failure.message] }
            return [String(decoding: bytes, as: UTF8.self)]
        }
        var lines = [style.paint("error:", .bad) + " " + failure.message]
        if let remedy = failure.remedy {
            lines.append(style.paint("  try:", .faint) + " " + remedy)
        }
        return lines
    }

    /// `file:line:column: error: …`, as compilers and editors know it.
    static func lines(_ problems: [PlanProblem], style: Style) -> [String] {
        problems.map { problem in
            var place = problem.file
            if problem.line > 0 { place += ":\(problem.line)" }
            if problem.line > 0, problem.column > 0 { place += ":\(problem.column)" }
            let level = style.paint(
                problem.severity.rawValue + ":", problem.severity == .error ? .bad : .caution)
            return (place.isEmpty ? "" : style.paint(place + ":", .strong) + " ") + level + " "
                + problem.message
        }
    }
}
