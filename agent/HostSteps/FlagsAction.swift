import FleetWire
import HostProcesses

/// The step `flags`, on a flagd definition file.
struct FlagsAction: Sendable {
    let place: StepPlace

    struct Change {
        let path: String
        let existing: HostFile.Existing
        let document: OrderedJSON
        /// One line a flag: `name: off -> on` or `name: added, default off`.
        let lines: [String]
    }

    func change(_ action: FlagsStep) throws(StepFailure) -> Change {
        let path = try place.path(action.path)
        guard let existing = try HostFile.read(path) else {
            throw StepFailure("\(path) is missing; put the flagd file there first")
        }
        var document = try parse(existing.bytes, path)
        guard var flags = document["flags"], case .object = flags else {
            throw StepFailure("\(path) has no object named flags; it is no flagd file")
        }
        var lines: [String] = []
        for (name, text) in action.define.sorted(by: { $0.key < $1.key }) where flags[name] == nil {
            let flag = try parse(Array(try place.fill(text).utf8), "the definition of \(name)")
            guard let variant = flag["defaultVariant"]?.string,
                flag["variants"]?[variant] != nil
            else {
                throw StepFailure(
                    "the definition of \(name) needs variants and a defaultVariant among them")
            }
            flags[name] = flag
            lines.append("\(name): added, default \(variant)")
        }
        for (name, template) in action.set.sorted(by: { $0.key < $1.key }) {
            let variant = try place.fill(template)
            let now = try check(name, variant, flags, path)
            if now == variant { continue }
            flags[name]?["defaultVariant"] = OrderedJSON(string: variant)
            lines.append("\(name): \(now ?? "no default") -> \(variant)")
        }
        document["flags"] = flags
        return Change(path: path, existing: existing, document: document, lines: lines)
    }

    func run(_ action: FlagsStep) throws(StepFailure) -> String {
        let change = try change(action)
        if change.lines.isEmpty { return "\(change.path) is unchanged" }
        try HostFile.replace(
            change.path, with: Array((change.document.text + "\n").utf8),
            existing: change.existing, mode: change.existing.mode)
        return "\(change.path): " + change.lines.joined(separator: ", ")
    }

    /// The flag's present default, after flag and variant were found.
    private func check(
        _ name: String, _ variant: String, _ flags: OrderedJSON, _ path: String
    ) throws(StepFailure) -> String? {
        guard let flag = flags[name] else {
            let near = NearestName.of(name, among: flags.names).map { "; did you mean \($0)?" }
            throw StepFailure("\(path) has no flag \(name)\(near ?? "; define it in the step")")
        }
        let variants = flag["variants"]?.names ?? []
        guard variants.contains(variant) else {
            throw StepFailure(
                "flag \(name) has no variant \(variant), only \(variants.joined(separator: ", "))")
        }
        return flag["defaultVariant"]?.string
    }

    private func parse(_ bytes: [UInt8], _ what: String) throws(StepFailure) -> OrderedJSON {
        do throws(OrderedJSON.Failure) {
            return try OrderedJSON(bytes)
        } catch {
            throw StepFailure("\(what) is not JSON: \(error.reason)")
        }
    }
}
