import FleetWire
import Glibc
import HostProcesses
import Validation

/// The check `sensitive_data`. No value is kept or shown.
struct SensitiveDataValidator: Validator {
    let spec = ValidatorSpec.sensitiveData

    func look(_ parameters: CheckParameters, _ context: LookContext) async -> Finding {
        let table = ProcessTable(context)
        var environments: [(place: String, path: String)] = []
        if !parameters.namesNoProcess {
            switch await table.running(parameters, context) {
            case .untold(let finding): return finding
            case .found(let processes):
                environments = processes.map {
                    ("environment of process \($0.pid)", "\(table.folder)/\($0.pid)/environ")
                }
            }
        }
        return await context.blocking { [environments] cancellation in
            var scan = Scan(parameters)
            for (place, path) in environments { scan.look(environment: place, path) }
            scan.look(paths: parameters.texts("paths"), cancellation)
            return scan.finding
        }
    }

    private struct Scan {
        private let inPrivate: CheckStatus
        private let entropyMin: Double
        private let allowed: Set<String>
        private var offences = Offences()
        private var read = 0
        private var passedOver = 0
        private var skipped = 0

        init(_ parameters: CheckParameters) {
            inPrivate = parameters.text("private").flatMap(CheckStatus.init) ?? .warn
            entropyMin = parameters.number("entropy_min") ?? 4.2
            allowed = Set(parameters.texts("allow"))
        }

        mutating func look(environment place: String, _ path: String) {
            guard let bytes = SmallFile.bytes(path) else {
                return offences.judgement.note(.unknown, "\(path) cannot be read")
            }
            read += 1
            for variable in bytes.split(separator: 0) {
                let name = variable.prefix { $0 != UInt8(ascii: "=") }
                for (_, kind) in SecretScan.lines(in: variable, entropyMin: entropyMin).prefix(1) {
                    note(
                        inPrivate, place,
                        "\(String(decoding: name.prefix(60), as: UTF8.self)) is \(kind.rawValue)")
                }
            }
        }

        mutating func look(paths: [String], _ cancellation: OwnThread.Cancellation) {
            let list = FileList(paths)
            for path in list.missing { offences.judgement.note(.unknown, "\(path) is missing") }
            for why in list.obstacles { offences.judgement.note(.unknown, why) }
            for (path, status) in list.files {
                if cancellation.isCancelled { return }
                if allowed.contains(path) {
                    skipped += 1
                    continue
                }
                guard let bytes = SmallFile.bytes(path) else {
                    offences.judgement.note(
                        .unknown, "\(path) cannot be read, or is larger than 1 MiB")
                    continue
                }
                guard !bytes.contains(0) else {
                    passedOver += 1
                    continue
                }
                read += 1
                let isOpen = status.st_mode & 0o004 != 0
                for (line, kind) in SecretScan.lines(in: bytes[...], entropyMin: entropyMin) {
                    note(
                        isOpen ? .fail : inPrivate, "\(path):\(line)",
                        kind.rawValue + (isOpen ? ", and everybody may read it" : ""))
                }
            }
        }

        private mutating func note(_ status: CheckStatus, _ place: String, _ what: String) {
            if status != .pass { offences.add(status, place, what) }
        }

        var finding: Finding {
            var judgement = offences.judgement
            if read == 0 { judgement.note(.unknown, "nothing was read") }
            return judgement.finding(
                "\(read) files and environments read"
                    + (passedOver > 0 ? ", \(passedOver) that are no text passed over" : "")
                    + (skipped > 0 ? ", \(skipped) allowed" : "")
                    + (offences.lines.isEmpty ? "" : ", \(offences.lines.count) secrets"),
                remedy:
                    "move secrets into a file that only the service may read, or a secret store, "
                    + "and replace those that others could have read",
                evidence: offences.lines)
        }
    }
}
