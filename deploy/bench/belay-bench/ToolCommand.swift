/// One program call, as it is timed.
struct ToolCommand: Sendable, Equatable {
    /// The first is the program's whole path.
    var arguments: [String]
    /// Added to the few variables that every program gets.
    var environment: [String: String] = [:]
    /// Where it runs; where the benchmark runs if nil.
    var directory: String?

    /// As somebody would type it, without `base` before paths (nil keeps them) and programs' folders.
    func shown(below base: String? = nil) -> String {
        func short(_ text: String) -> String {
            base.map { text.replacing($0 + "/", with: "") } ?? text
        }
        let variables = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let program = arguments.prefix(1).map { path in
            path.split(separator: "/").last.map(String.init) ?? path
        }
        let words = (variables + program + arguments.dropFirst()).map { word in
            word.contains(" ") ? "'\(short(word))'" : short(word)
        }
        let place = directory.map { "cd \(short($0)) && " } ?? ""
        return place + words.joined(separator: " ")
    }
}
