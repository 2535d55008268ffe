import Foundation

@testable import belay_bench

/// A folder of one test.
struct Scratch {
    let path: String

    init() throws {
        let base = URL(fileURLWithPath: NSTemporaryDirectory()).resolvingSymlinksInPath().path
        path = "\(base)/belay-bench-\(UUID().uuidString)"
        try Folder.make(path)
    }

    func path(_ name: String) -> String { "\(path)/\(name)" }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}
