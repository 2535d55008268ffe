import FleetWire
import Glibc
import HostProcesses
import Validation

/// The check `feature_flags`.
struct FeatureFlagsValidator: Validator {
    let spec = ValidatorSpec.featureFlags
    private static let remedy =
        "set the flag in its file, and look whether the application reads it"

    func look(_ parameters: CheckParameters, _ context: LookContext) async -> Finding {
        await context.blocking { cancellation in
            Self.look(parameters, context.deadline, cancellation)
        }
    }

    private static func look(
        _ parameters: CheckParameters, _ deadline: ContinuousClock.Instant,
        _ cancellation: OwnThread.Cancellation
    ) -> Finding {
        let wanted = parameters.textsByName("flags").sorted { $0.key < $1.key }
        guard !wanted.isEmpty else {
            return .unknown("no flag was asked for", "name flags in the check")
        }
        var judgement = Judgement()
        var places: [String] = []
        /// What the application may say of each flag: its variant's name or value.
        var values: [String: Set<String>] = [:]
        if let file = parameters.text("file") {
            places.append(file)
            guard access(file, F_OK) == 0 else {
                return .fail("\(file) is missing", remedy)
            }
            guard let bytes = SmallFile.bytes(file), let tree = JSONTree(bytes),
                case .map(let flags)? = tree["flags"]
            else {
                return .unknown(
                    "\(file) cannot be read as flag definitions of flagd", "correct the file")
            }
            for (name, value) in wanted {
                let warns = parameters.flag("variant_warn") ?? true
                values[name] = judge(name, value, flags[name], warnsOfRules: warns, &judgement)
            }
        }
        if let url = parameters.text("url") {
            places.append(url)
            do throws(HTTPExchange.Failure) {
                let exchange = HTTPExchange(url: url, bodyBytesMax: SmallFile.bytesMax)
                let answer = try exchange.run(deadline: deadline, cancellation: cancellation)
                judge(answer, url, wanted, values, &judgement)
            } catch {
                judgement.note(.unknown, error.reason)
            }
        }
        let shown = wanted.prefix(5).map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        return judgement.finding(
            "\(wanted.count) flags looked for in \(places.joined(separator: " and ")): \(shown)"
                + (wanted.count > 5 ? ", …" : ""), remedy: remedy)
    }

    /// The names that the value of this flag has.
    private static func judge(
        _ name: String, _ wanted: String, _ flag: JSONTree?, warnsOfRules: Bool,
        _ judgement: inout Judgement
    ) -> Set<String> {
        guard let flag else {
            judgement.note(.fail, "there is no flag \(name)")
            return []
        }
        guard flag["state"]?.text == "ENABLED" else {
            judgement.note(.fail, "\(name) is not enabled")
            return []
        }
        guard let variant = flag["defaultVariant"]?.text, let value = flag["variants"]?[variant]
        else {
            judgement.note(.fail, "\(name) has no default variant")
            return []
        }
        let names = Set([variant, value.scalar].compactMap(\.self))
        if !names.contains(wanted) {
            judgement.note(.fail, "\(name) is \(variant), not \(wanted)")
        }
        if warnsOfRules, case .map(let rules)? = flag["targeting"], !rules.isEmpty {
            judgement.note(.warn, "\(name) has targeting rules")
        }
        return names
    }

    private static func judge(
        _ answer: HTTPResponse, _ url: String, _ wanted: [(key: String, value: String)],
        _ values: [String: Set<String>], _ judgement: inout Judgement
    ) {
        guard answer.status == 200, answer.isWhole, let tree = JSONTree(answer.body),
            case .map(let top) = tree
        else {
            judgement.note(
                .unknown, "\(url) answers \(answer.status ?? 0), and no JSON object of flags")
            return
        }
        var members = top
        if case .map(let flags)? = top["flags"] { members = flags }
        for (name, value) in wanted {
            guard let found = members[name] else {
                judgement.note(.fail, "the application tells no flag \(name)")
                continue
            }
            // An application may tell the variant, its value, or an object with one of them.
            let told = [found, found["value"], found["variant"]].compactMap { $0?.scalar }
            guard !told.isEmpty else {
                judgement.note(.unknown, "the application tells no value of \(name)")
                continue
            }
            let names = (values[name] ?? []).contains(value) ? values[name] ?? [] : [value]
            if !told.contains(where: names.contains) {
                judgement.note(.fail, "the application has \(name) as \(told[0]), not \(value)")
            }
        }
    }
}
