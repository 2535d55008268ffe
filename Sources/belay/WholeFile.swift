import Foundation

/// Writes whole files or none.
enum WholeFile {
    /// `option` is what the path was given with.
    static func write(_ bytes: [UInt8], to path: String, option: String) throws(CommandFailure) {
        do {
            try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw CommandFailure(
                .error, "cannot write \(path): \(error.localizedDescription)",
                remedy: "give \(option) a path that you may write")
        }
    }
}
