/// One program call, as it is timed.
struct ToolCommand: Sendable, Equatable {
    /// The first is the program's whole path.
    var arguments: [String]
    /// Added to the few variables that every program gets.
    var environment: [String: String] = [:]
    /// Where it runs; where the benchmark runs if nil.
    var directory: String?

    /// As somebody would type it, without `base` before paths and programs' folders.
    func shown(below base: String) -> String {
        let variables = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let program = arguments.prefix(1).map { path in
            path.split(separator: "/").last.map(String.init) ?? path
        }
        let words = (variables + program + arguments.dropFirst()).map { word in
            let short = word.replacing(base + "/", with: "")
            return short.contains(" ") ? "'\(short)'" : short
        }
        let place = directory.map { "cd \($0.replacing(base + "/", with: "")) && " } ?? ""
        return place + words.joined(separator: " ")
    }
}
