import FleetWire
import HostProcesses
import Validation

/// The check `config_valid`.
struct ConfigValidValidator: Validator {
    let spec = ValidatorSpec.configValid

    func look(_ parameters: CheckParameters, _ context: LookContext) async -> Finding {
        await context.blocking { cancellation in Self.look(parameters, cancellation) }
    }

    private static func look(
        _ parameters: CheckParameters, _ cancellation: OwnThread.Cancellation
    ) -> Finding {
        let schema: JSONSchema?
        do throws(JSONSchema.Refusal) {
            schema = try Self.schema(parameters)
        } catch {
            return .unknown(
                "the schema cannot be used: " + error.reasons.prefix(3).joined(separator: "; "),
                "use only the keywords that the reference lists", evidence: error.reasons)
        }
        let named = parameters.texts("paths")
        let list = FileList(named)
        var look = ConfigLook(
            schema: schema,
            format: parameters.text("format").flatMap(DocumentFormat.init(rawValue:)),
            mayBeEmpty: parameters.flag("may_be_empty") ?? false)
        for path in list.missing { look.offences.add(.fail, path, "is missing") }
        for why in list.obstacles { look.offences.judgement.note(.unknown, why) }
        for (path, _) in list.files {
            if cancellation.isCancelled { return .unknown("cancelled", "run the check again") }
            look.hold(path, isNamed: named.contains(path))
        }
        return look.finding(isMissing: !list.missing.isEmpty)
    }

    private static func schema(_ parameters: CheckParameters) throws(JSONSchema.Refusal)
        -> JSONSchema?
    {
        let bytes: [UInt8]
        if let text = parameters.text("schema") {
            bytes = Array(text.utf8)
        } else if let path = parameters.text("schema_file") {
            guard let content = SmallFile.bytes(path) else {
                throw JSONSchema.Refusal(
                    reasons: ["\(path) is missing, cannot be read, or is larger than 1 MiB"])
            }
            bytes = content
        } else {
            return nil
        }
        let document: Document
        do throws(DocumentError) {
            document = try JSONReader.read(bytes)
        } catch {
            throw JSONSchema.Refusal(reasons: [error.text])
        }
        // A keyword that stands twice would be asked once.
        guard document.doubts.isEmpty, let value = document.values.first else {
            throw JSONSchema.Refusal(reasons: document.doubts.map(\.text))
        }
        return try JSONSchema(value)
    }
}

/// Holds one file after the other against its format and the schema.
private struct ConfigLook {
    let schema: JSONSchema?
    /// The format of all files; nil if their names say it.
    let format: DocumentFormat?
    let mayBeEmpty: Bool
    var offences = Offences()
    private var readCount = 0
    private var leftOutCount = 0

    init(schema: JSONSchema?, format: DocumentFormat?, mayBeEmpty: Bool) {
        self.schema = schema
        self.format = format
        self.mayBeEmpty = mayBeEmpty
    }

    mutating func hold(_ path: String, isNamed: Bool) {
        guard let format = format ?? DocumentFormat(path: path) else {
            if isNamed {
                offences.add(.unknown, path, "its name does not say its format; give format")
            } else {
                leftOutCount += 1
            }
            return
        }
        guard let bytes = SmallFile.bytes(path) else {
            return offences.add(.unknown, path, "it cannot be read, or is larger than 1 MiB")
        }
        let name = format.rawValue.uppercased()
        readCount += 1
        do throws(DocumentError) {
            let document = try format.read(bytes)
            for doubt in document.doubts { offences.add(.warn, path, doubt.text) }
            if document.values.allSatisfy({ $0.isNothing(of: format) }), !mayBeEmpty {
                offences.add(.fail, path, "it holds nothing")
            }
            hold(document, path)
        } catch {
            offences.add(
                error.isLimit ? .unknown : .fail, path,
                error.isLimit ? error.text : "no \(name), \(error.text)")
        }
    }

    private mutating func hold(_ document: Document, _ path: String) {
        guard let schema else { return }
        guard !document.values.isEmpty else {
            // A file of YAML without any document: nothing could be held against the schema.
            return offences.add(.fail, path, "there is no document for the schema")
        }
        for value in document.values {
            for problem in schema.problems(of: value) {
                offences.add(.fail, path, problem.text)
            }
        }
    }

    func finding(isMissing: Bool) -> Finding {
        var offences = offences
        if readCount == 0, !isMissing {
            offences.judgement.note(.unknown, "no file was read")
        }
        var measured = "\(readCount) files read"
        if leftOutCount > 0 { measured += ", \(leftOutCount) of other formats left out" }
        if schema != nil { measured += ", held against the schema" }
        return offences.judgement.finding(
            measured, remedy: "correct the file, or deploy it again", evidence: offences.lines)
    }
}

extension DocumentValue {
    /// True if this is what a file without any content is read as; JSON has no such file.
    fileprivate func isNothing(of format: DocumentFormat) -> Bool {
        switch (format, kind) {
        case (.yaml, .null): true
        case (.toml, .map(let members)), (.ini, .map(let members)): members.isEmpty
        case (.yaml, _), (.toml, _), (.ini, _), (.json, _): false
        }
    }
}
