import FleetWire
import Glibc
import HostProcesses
import Validation

/// The check `environment_vars`. Values are looked at for being empty, and for nothing else.
struct EnvironmentVarsValidator: Validator {
    let spec = ValidatorSpec.environmentVars

    func look(_ parameters: CheckParameters, _ context: LookContext) async -> Finding {
        if let file = parameters.text("file") {
            return await context.blocking { _ in
                guard let text = SmallFile.text(file) else {
                    return access(file, F_OK) == 0
                        ? .unknown("\(file) cannot be read", "check its permissions, size and text")
                        : .fail("\(file) is missing", "deploy it again, or correct the path")
                }
                return Self.judge([(file, EnvironmentNames(file: text))], parameters)
            }
        }
        let table = ProcessTable(context)
        switch await table.running(parameters, context) {
        case .untold(let finding): return finding
        case .found(let processes):
            return await context.blocking { _ in
                var found: [(String, EnvironmentNames)] = []
                for process in processes {
                    let path = "\(table.folder)/\(process.pid)/environ"
                    guard let bytes = SmallFile.bytes(path) else {
                        return .unknown("\(path) cannot be read", "run the agent as root")
                    }
                    found.append(("process \(process.pid)", EnvironmentNames(process: bytes)))
                }
                return Self.judge(found, parameters)
            }
        }
    }

    private static func judge(
        _ environments: [(String, EnvironmentNames)], _ parameters: CheckParameters
    ) -> Finding {
        var judgement = Judgement()
        for (place, names) in environments {
            if names.all.isEmpty { judgement.note(.unknown, "\(place) shows no variable") }
            for (list, status) in [("required", CheckStatus.fail), ("recommended", .warn)] {
                for name in parameters.texts(list) {
                    if !names.all.contains(name) {
                        judgement.note(status, "\(place) has no \(name)")
                    } else if names.empty.contains(name) {
                        judgement.note(status, "\(place) has an empty \(name)")
                    }
                }
            }
            for name in parameters.texts("forbidden") where names.all.contains(name) {
                judgement.note(.fail, "\(place) has \(name)")
            }
        }
        let asked = ["required", "recommended", "forbidden"].reduce(0) {
            $0 + parameters.texts($1).count
        }
        guard asked > 0 else {
            return .unknown("no name was asked for", "name variables in the check")
        }
        let places = environments.map { "\($0.0): \($0.1.all.count) variables" }
        return judgement.finding(
            places.prefix(5).joined(separator: ", ") + "; \(asked) names looked for",
            remedy: "correct the service's environment, and restart it")
    }
}

/// The names of an environment.
struct EnvironmentNames {
    private(set) var all: Set<String> = []
    /// Those whose value is empty.
    private(set) var empty: Set<String> = []

    /// Of `NAME=VALUE`, each with a zero behind it.
    init(process bytes: [UInt8]) {
        for entry in bytes.split(separator: 0) { add(entry[...]) }
    }

    /// Of a file as systemd.exec(5) reads it: comments, lines that go on behind a backslash, and
    /// quoted values of several lines.
    init(file text: String) {
        var line: [UInt8] = []
        for part in text.utf8.split(separator: 10, omittingEmptySubsequences: false) {
            line += part
            if line.last == UInt8(ascii: "\\") {
                line.removeLast()
            } else if Self.isOpen(line) {
                line.append(10)
            } else {
                add(line: line)
                line = []
            }
        }
        add(line: line)
    }

    /// True if a quote that its value begins with is not closed.
    private static func isOpen(_ line: [UInt8]) -> Bool {
        guard !isComment(line), let sign = line.firstIndex(of: UInt8(ascii: "=")) else {
            return false
        }
        let value = line[(sign + 1)...].drop { $0 == 0x20 || $0 == 0x09 }
        guard let quote = value.first, quote == 0x22 || quote == 0x27 else { return false }
        return value.count { $0 == quote } % 2 == 1
    }

    private static func isComment(_ line: [UInt8]) -> Bool {
        let first = line.first { $0 != 0x20 && $0 != 0x09 }
        return first == nil || first == UInt8(ascii: "#") || first == UInt8(ascii: ";")
    }

    private mutating func add(line: [UInt8]) {
        if !Self.isComment(line) { add(line.drop { $0 == 0x20 || $0 == 0x09 }) }
    }

    private mutating func add(_ entry: ArraySlice<UInt8>) {
        guard let sign = entry.firstIndex(of: UInt8(ascii: "=")) else { return }
        let bytes = entry[..<sign].reversed().drop { $0 == 0x20 || $0 == 0x09 }.reversed()
        let name = String(decoding: Array(bytes), as: UTF8.self)
        let isEmpty = entry[(sign + 1)...].allSatisfy { " \t\r\n\"'".utf8.contains($0) }
        all.insert(name)
        if isEmpty { empty.insert(name) } else { empty.remove(name) }
    }
}
