import FleetWire
import Glibc
import HostProcesses
import Validation

/// The check `feature_computation`.
struct FeatureComputationValidator: Validator {
    let spec = ValidatorSpec.featureComputation

    func look(_ parameters: CheckParameters, _ context: LookContext) async -> Finding {
        let path = parameters["golden"]
        guard let golden = SmallFile.text(path) else {
            return .unknown(
                "the golden file \(path) "
                    + (access(path, F_OK) == 0 ? "cannot be read as text" : "is missing"),
                "record what the program must write")
        }
        let wanted = GoldenText.words(golden)
        guard !wanted.isEmpty else {
            return .unknown(
                "the golden file \(path) is empty", "record what the program must write")
        }
        let result = await context.run(
            parameters.texts("argv"), outputBytesMax: SmallFile.bytesMax)
        let (code, finding) = result.exitCode(context.timeout)
        guard let code else { return finding }
        guard code == 0 else {
            return .fail("exit \(code)\(result.lastLine)", "run the program on the host")
        }
        let found = GoldenText.words(String(decoding: result.output, as: UTF8.self))
        return Self.judge(found, wanted, parameters)
    }

    private static func judge(
        _ found: [GoldenText.Word], _ wanted: [GoldenText.Word], _ parameters: CheckParameters
    ) -> Finding {
        let remedy = "find out what changed the computation, or record the golden file anew"
        let absolute = parameters.number("absolute") ?? 0
        var largest = 0.0
        var numbers = 0
        for (one, other) in zip(found, wanted) {
            guard let left = one.number, let right = other.number else {
                guard one.text == other.text else {
                    return .fail(
                        "line \(one.line): \(one.shown), not \(other.shown) of the golden file's line "
                            + "\(other.line)", remedy)
                }
                continue
            }
            numbers += 1
            let difference = GoldenText.relativeDifference(left, right, absolute: absolute)
            if let most = parameters.number("relative_max"), difference > most {
                return .fail(
                    "line \(one.line): \(one.shown), not \(other.shown) of the golden file's line "
                        + "\(other.line)", remedy,
                    threshold: "they differ by more than relative_max, \(most)")
            }
            largest = max(largest, difference)
        }
        guard found.count == wanted.count else {
            return .fail("\(found.count) words, \(wanted.count) wanted", remedy)
        }
        var judgement = Judgement()
        if let most = parameters.number("relative_warn"), largest > most {
            judgement.note(.warn, "more than relative_warn, \(most)")
        }
        return judgement.finding(
            "\(wanted.count) words, \(numbers) of them numbers, are those of the golden file; they "
                + "differ by at most \(largest)", remedy: remedy)
    }
}

/// A text as numbers and other words.
enum GoldenText {
    struct Word: Equatable {
        var text: Substring
        /// Its line, from 1.
        var line: Int
        /// Its value, if it is a decimal number that is finite.
        var number: Double?
        var shown: String { "`\(text.prefix(60))`" }
    }

    /// Blanks, commas, semicolons and brackets are between words; brackets and signs of order are
    /// words themselves, so that `[1, 2]` and `1 [2]` differ.
    static func words(_ text: String) -> [Word] {
        var words: [Word] = []
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            var rest = line[...]
            while let first = rest.first {
                if first.isWhitespace {
                    rest = rest.dropFirst()
                    continue
                }
                let isSign = "[]{}(),;:=\"".contains(first)
                let word =
                    isSign
                    ? rest.prefix(1)
                    : rest.prefix { !$0.isWhitespace && !"[]{}(),;:=\"".contains($0) }
                let isNumber = word.utf8.allSatisfy { "0123456789+-.eE".utf8.contains($0) }
                let value = isNumber ? Double(word).flatMap { $0.isFinite ? $0 : nil } : nil
                words.append(Word(text: word, line: number + 1, number: value))
                rest = rest.dropFirst(word.count)
            }
        }
        return words
    }

    /// The share of the larger one by which they differ; 0 if by no more than `absolute`.
    static func relativeDifference(_ left: Double, _ right: Double, absolute: Double) -> Double {
        let difference = abs(left - right)
        guard difference > absolute else { return 0 }
        return difference / max(abs(left), abs(right))
    }
}
