import FleetWire
import HostProcesses
import SQLiteFile
import Validation

/// The check `data_consistency`.
struct DataConsistencyValidator: Validator {
    let spec = ValidatorSpec.dataConsistency
    /// A program that writes more is not compared.
    private static let outputBytesMax = 64 << 20

    func look(_ parameters: CheckParameters, _ context: LookContext) async -> Finding {
        let isOrdered = parameters.flag("ordered") ?? false
        var sums: [(name: String, sum: RecordSum)] = []
        for side in ["left", "right"] {
            let source = CheckParameters(values: parameters.map(side))
            switch await Self.records(of: source, isOrdered: isOrdered, side, context) {
            case .failure(let untold): return untold.finding
            case .success(let sum): sums.append((side, sum))
            }
        }
        return Self.judge(sums[0].sum, sums[1].sum, parameters)
    }

    private static func judge(
        _ left: RecordSum, _ right: RecordSum, _ parameters: CheckParameters
    ) -> Finding {
        var judgement = Judgement()
        let least = parameters.whole("count_min") ?? 1
        if min(left.count, right.count) < least {
            judgement.note(.fail, "fewer than count_min, \(least)")
        }
        let difference = abs(left.count - right.count)
        if let most = parameters.whole("count_difference_warn"), difference > 0, difference <= most
        {
            judgement.note(
                .warn, "the counts differ, by no more than count_difference_warn, \(most)")
        } else if difference > 0 {
            judgement.note(.fail, "the counts differ by \(difference)")
        } else if left != right {
            judgement.note(.fail, "as many records, of another content")
        }
        return judgement.finding(
            "left \(left.count) records, \(left.text); right \(right.count) records, \(right.text)",
            remedy: "find the records that differ, and copy them again")
    }

    private struct Untold: Error {
        let finding: Finding
    }

    private static func records(
        of source: CheckParameters, isOrdered: Bool, _ side: String, _ context: LookContext
    ) async -> Result<RecordSum, Untold> {
        let given = ["file", "argv", "sqlite"].filter { source.values[$0] != nil }
        guard given.count == 1 else {
            return .failure(
                Untold(
                    finding: .unknown(
                        "\(side) needs exactly one of file, argv, sqlite",
                        "correct the check in the plan")))
        }
        if given[0] == "argv" {
            return await output(of: source.texts("argv"), isOrdered: isOrdered, side, context)
        }
        let box = Box()
        let finding = await context.blocking { cancellation in
            var sum = RecordSum(isOrdered: isOrdered)
            if let path = source.text("file") {
                var cutter = LineCutter()
                do throws(FileParts.Failure) {
                    try FileParts.forEach(of: path, cancellation) { part in
                        cutter.take(part) { sum.add($0) }
                    }
                } catch {
                    return .unknown("\(side): \(error.reason)", "look at the file")
                }
                cutter.finish { sum.add($0) }
            } else {
                do throws(SQLiteError) {
                    let database = try SQLiteConnection(
                        path: source["sqlite"], mode: .readOnly, busyMilliseconds: 1000)
                    try database.until(context.deadline, or: { cancellation.isCancelled }) {
                        () throws(SQLiteError) in
                        try database.forEachRow(source["query"]) { sum.add(Self.bytes($0)[...]) }
                    }
                } catch {
                    return .unknown(
                        "\(side): \(error.description)", "look at the database and query")
                }
            }
            box.sum = sum
            return .pass("read")
        }
        guard finding.status == .pass, let sum = box.sum else {
            return .failure(Untold(finding: finding))
        }
        return .success(sum)
    }

    /// Written before the finding is given, read after it.
    private final class Box: @unchecked Sendable {
        var sum: RecordSum?
    }

    private static func output(
        of argv: [String], isOrdered: Bool, _ side: String, _ context: LookContext
    ) async -> Result<RecordSum, Untold> {
        let result = await context.run(argv, outputBytesMax: outputBytesMax)
        let (code, finding) = result.exitCode(context.timeout)
        guard code == 0 else {
            let told =
                code.map { "\(side): exit \($0)\(result.lastLine)" }
                ?? "\(side): \(finding.measured)"
            return .failure(Untold(finding: .unknown(told, "run the program on the host")))
        }
        guard result.output.count < outputBytesMax else {
            return .failure(
                Untold(
                    finding: .unknown(
                        "\(side): more than \(outputBytesMax >> 20) MiB of output",
                        "let the program write digests rather than records")))
        }
        var sum = RecordSum(isOrdered: isOrdered)
        var cutter = LineCutter()
        cutter.take(result.output[...]) { sum.add($0) }
        cutter.finish { sum.add($0) }
        return .success(sum)
    }

    /// A row as the sqlite3 program lists it: values with `|` between them, so that a file or a
    /// program can be the other side.
    private static func bytes(_ row: [SQLiteValue]) -> [UInt8] {
        Array(
            row.map { value -> [UInt8] in
                switch value {
                case .null: []
                case .integer(let number): Array("\(number)".utf8)
                case .real(let number): Array("\(number)".utf8)
                case .text(let text): Array(text.utf8)
                case .blob(let bytes): bytes
                }
            }.joined(separator: [UInt8(ascii: "|")]))
    }
}
