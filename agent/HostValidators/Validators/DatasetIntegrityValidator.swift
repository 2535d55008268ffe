import FleetTransport
import FleetWire
import HostProcesses
import SQLiteFile
import Validation

/// The check `dataset_integrity`.
struct DatasetIntegrityValidator: Validator {
    let spec = ValidatorSpec.datasetIntegrity
    private static let remedy = "restore the dataset, or deploy it again"

    func look(_ parameters: CheckParameters, _ context: LookContext) async -> Finding {
        await context.blocking { cancellation in
            if let manifest = parameters.text("manifest") {
                Self.look(manifest: manifest, parameters, cancellation)
            } else {
                Self.look(table: parameters["table"], parameters, context.deadline, cancellation)
            }
        }
    }

    // MARK: - Manifests

    private static func look(
        manifest path: String, _ parameters: CheckParameters, _ cancellation: OwnThread.Cancellation
    ) -> Finding {
        var lines: [(digest: Digest, name: String)] = []
        var broken: String?
        var cutter = LineCutter()
        func take(_ line: ArraySlice<UInt8>) {
            let text = String(decoding: line, as: UTF8.self)
            guard let digest = Digest("sha256:" + text.prefix(64).lowercased()),
                text.dropFirst(64).hasPrefix("  ") || text.dropFirst(64).hasPrefix(" *")
            else {
                broken = broken ?? text
                return
            }
            lines.append((digest, String(text.dropFirst(66))))
        }
        do throws(FileParts.Failure) {
            try FileParts.forEach(of: path, cancellation) { cutter.take($0, take) }
        } catch {
            return error.isMissing ? .fail(error.reason, remedy) : .unknown(error.reason, remedy)
        }
        cutter.finish(take)
        if let broken {
            return .unknown(
                "\(path) has a line that sha256sum would not write: \(broken.prefix(80))",
                "write the manifest with sha256sum")
        }
        guard !lines.isEmpty else {
            return .unknown("\(path) names no file", "write the manifest with sha256sum")
        }
        let all = lines.count
        var sampled = ""
        if let size = parameters.whole("sample"), size < all {
            let seed = parameters.whole("seed") ?? 0
            var random = SeededNumbers(seed: UInt64(truncatingIfNeeded: seed))
            lines = Array(lines.shuffled(using: &random).prefix(size))
            sampled = ", a sample of \(all) by seed \(seed)"
        }
        return compare(lines, below: HostPath.parent(of: path), sampled, cancellation)
    }

    private static func compare(
        _ lines: [(digest: Digest, name: String)], below folder: String, _ sampled: String,
        _ cancellation: OwnThread.Cancellation
    ) -> Finding {
        var offences = Offences()
        var bytes: UInt64 = 0
        for (digest, name) in lines {
            let path = name.hasPrefix("/") ? name : folder + "/" + name
            guard !name.split(separator: "/").contains("..") else {
                offences.add(.unknown, name, "leads out of the manifest's folder")
                continue
            }
            let hasher = SHA256Hasher()
            do throws(FileParts.Failure) {
                try FileParts.forEach(of: path, cancellation) { part in
                    bytes += UInt64(part.count)
                    part.withUnsafeBytes { hasher.update($0) }
                }
            } catch {
                offences.add(error.isMissing ? .fail : .unknown, name, error.reason)
                if cancellation.isCancelled { break }
                continue
            }
            if hasher.finish() != digest { offences.add(.fail, name, "other bytes") }
        }
        return offences.judgement.finding(
            "\(lines.count) files\(sampled), \(ByteCount(bytes).text)"
                + (offences.lines.isEmpty
                    ? "" : ", \(offences.lines.count) not as the manifest says"),
            remedy: remedy, evidence: offences.lines)
    }

    // MARK: - Tables

    private static func look(
        table path: String, _ parameters: CheckParameters, _ deadline: ContinuousClock.Instant,
        _ cancellation: OwnThread.Cancellation
    ) -> Finding {
        let asked = ["columns", "rows_min", "rows_max", "rows_warn"].filter {
            parameters.values[$0] != nil
        }
        guard !asked.isEmpty else {
            return .unknown(
                "nothing is asked of \(path)", "give columns, rows_min, rows_max or rows_warn")
        }
        let suffixes = [
            "csv": "csv", "jsonl": "jsonl", "ndjson": "jsonl", "db": "sqlite", "sqlite": "sqlite",
            "sqlite3": "sqlite",
        ]
        let suffix = path.split(separator: ".").last.map(String.init) ?? ""
        guard let format = parameters.text("format") ?? suffixes[suffix] else {
            return .unknown("what \(path) is cannot be told by its name", "give its format")
        }
        var check = TableCheck(
            columns: parameters.textsByName("columns").compactMapValues(TableCheck.Kind.init))
        do {
            switch format {
            case "csv": try check.read(csv: path, cancellation)
            case "jsonl": try check.read(jsonLines: path, cancellation)
            default:
                guard let name = parameters.text("name") else {
                    return .unknown("no table of \(path) is named", "give the table's name")
                }
                try check.read(sqlite: path, table: name, deadline, cancellation)
            }
        } catch let error as FileParts.Failure {
            return error.isMissing ? .fail(error.reason, remedy) : .unknown(error.reason, remedy)
        } catch let error as SQLiteError {
            return error.isCorrupt
                ? .fail(error.description, remedy)
                : .unknown(error.description, "look at the database")
        } catch {
            return .unknown("\(error)", remedy)
        }
        return judge(check, path, parameters)
    }

    private static func judge(
        _ check: TableCheck, _ path: String, _ parameters: CheckParameters
    ) -> Finding {
        var judgement = Judgement()
        for offence in check.offences { judgement.note(.fail, offence) }
        let least = parameters.whole("rows_min") ?? (parameters.whole("rows_max") == 0 ? 0 : 1)
        if check.rows < least { judgement.note(.fail, "fewer than rows_min, \(least)") }
        if let most = parameters.whole("rows_max"), check.rows > most {
            judgement.note(.fail, "more than rows_max, \(most)")
        }
        if let least = parameters.whole("rows_warn"), check.rows < least {
            judgement.note(.warn, "fewer than rows_warn, \(least)")
        }
        return judgement.finding(
            "\(path): \(check.rows) rows, \(check.columns.count) columns looked at", remedy: remedy)
    }
}

/// Numbers that are the same for the same seed, on every host (SplitMix64, Steele and others 2014).
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
