extension CheckKind {
    /// Ids of the validators that have a form of their own on the wire, for agents that know no
    /// other. A call of one of them that says no more than this form can takes it.
    package static let oldest = ["run", "http", "disk_space", "file_digest", "sqlite_integrity"]

    /// The kind that carries `call`.
    package init(_ call: ValidatorCall) {
        // A default or what a configuration says does not fit into the old forms.
        let isPlain = call.parameters.keys.allSatisfy { call.origin(of: $0) == .plan }
        self = (isPlain ? Self.old(call) : nil) ?? .validator(call)
    }

    /// What is asked, in the one form that all validators have; nil for a kind that is not known.
    package var call: ValidatorCall? {
        func made(_ parameters: [String: ParameterValue?]) -> ValidatorCall {
            ValidatorCall(id: name, parameters: parameters.compactMapValues { $0 })
        }
        switch self {
        case .run(let check):
            let run = check.run
            return made([
                "argv": run.argv.isEmpty ? nil : .list(run.argv.map { .text($0) }),
                "shell": run.shell.map { .text($0) },
                "env": run.env.isEmpty ? nil : .map(run.env.mapValues { .text($0) }),
                "directory": run.directory.map { .text($0) },
                "contains": check.contains.map { .text($0) },
            ])
        case .http(let check):
            return made([
                "url": .text(check.url),
                "status": check.status.isEmpty ? nil : .list(check.status.map { .whole($0) }),
                "contains": check.contains.map { .text($0) },
            ])
        case .diskSpace(let check):
            return made([
                "path": .text(check.path), "bytes_min": .bytes(check.bytesMin),
            ])
        case .fileDigest(let check):
            return made(["path": .text(check.path), "digest": .text("\(check.digest)")])
        case .sqliteIntegrity(let check):
            return made([
                "path": .text(check.path), "user_version": check.userVersion.map { .whole($0) },
            ])
        case .validator(let call): return call
        case .unknown: return nil
        }
    }

    private static func old(_ call: ValidatorCall) -> CheckKind? {
        let parameters = call.parameters
        func hasOnly(_ names: String...) -> Bool {
            names.count >= parameters.keys.count
                && parameters.keys.allSatisfy(names.contains)
        }
        switch call.id {
        case "run" where hasOnly("argv", "shell", "env", "directory", "contains"):
            let run = RunStep(
                argv: parameters["argv"]?.list?.map { $0.text ?? "" } ?? [],
                shell: parameters["shell"]?.text,
                env: parameters["env"]?.map?.mapValues { $0.text ?? "" } ?? [:],
                directory: parameters["directory"]?.text)
            return .run(RunCheck(run: run, contains: parameters["contains"]?.text))
        case "http" where hasOnly("url", "status", "contains"):
            return .http(
                HTTPCheck(
                    url: parameters["url"]?.text ?? "",
                    status: parameters["status"]?.list?.compactMap(\.whole) ?? [],
                    contains: parameters["contains"]?.text))
        case "disk_space" where hasOnly("path", "bytes_min"):
            guard let path = parameters["path"]?.text, let bytes = parameters["bytes_min"]?.bytes
            else { return nil }
            return .diskSpace(DiskSpaceCheck(path: path, bytesMin: bytes))
        case "file_digest" where hasOnly("path", "digest"):
            guard let path = parameters["path"]?.text,
                let digest = parameters["digest"]?.text.flatMap(Digest.init)
            else { return nil }
            return .fileDigest(FileDigestCheck(path: path, digest: digest))
        case "sqlite_integrity" where hasOnly("path", "user_version"):
            guard let path = parameters["path"]?.text else { return nil }
            return .sqliteIntegrity(
                SQLiteIntegrityCheck(path: path, userVersion: parameters["user_version"]?.whole))
        default: return nil
        }
    }
}

extension ParameterValue {
    /// A size; one beyond the range of whole numbers is held at its end.
    package static func bytes(_ size: ByteCount) -> ParameterValue {
        .whole(Int(clamping: size.count))
    }

    /// The truth value, if it is one.
    package var flag: Bool? { if case .flag(let value) = self { value } else { nil } }
    /// The whole number, if it is one.
    package var whole: Int? { if case .whole(let value) = self { value } else { nil } }
    /// The number, if it is one.
    package var number: Double? {
        switch self {
        case .whole(let value): Double(value)
        case .fraction(let value): value
        case .flag, .text, .list, .map: nil
        }
    }
    /// The text, if it is one.
    package var text: String? { if case .text(let value) = self { value } else { nil } }
    /// The items, if it is a list.
    package var list: [ParameterValue]? { if case .list(let value) = self { value } else { nil } }
    /// The members, if it is a mapping.
    package var map: [String: ParameterValue]? {
        if case .map(let value) = self { value } else { nil }
    }
    /// The size, if it is a whole number that is not negative.
    package var bytes: ByteCount? {
        whole.flatMap { UInt64(exactly: $0) }.map(ByteCount.init)
    }
    /// The span of so many milliseconds, if it is a whole number.
    package var span: Milliseconds? { whole.map { Milliseconds(Int64($0)) } }
}
