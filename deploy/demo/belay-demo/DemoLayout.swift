import FoundationEssentials
import Glibc

/// Where everything of the demo lies.
struct DemoLayout: Sendable {
    /// The folder that holds all that the demo makes.
    let directory: String
    /// The folder with the built programs.
    let programs: String
    /// `deploy/demo` of the sources.
    let sources: String

    /// Checks that the programs and the sources are there.
    init(directory: String, programs: String?, sources: String) throws {
        self.directory = Self.absolute(directory)
        self.sources = Self.absolute(sources)
        self.programs = programs.map(Self.absolute) ?? Self.ownFolder()
        for name in ["belay", "belay-agent", "belay-coordinator", "registry"] {
            guard access("\(self.programs)/\(name)", X_OK) == 0 else {
                throw DemoFailure("\(self.programs)/\(name) is missing: run `swift build` first")
            }
        }
        guard access("\(self.sources)/plans/registry-2.yaml", R_OK) == 0 else {
            throw DemoFailure(
                "\(self.sources) holds no plans: run the demo from the project's folder, "
                    + "or say --sources deploy/demo")
        }
    }

    var plans: String { "\(directory)/plans" }
    var hosts: String { "\(directory)/hosts" }
    var logs: String { "\(directory)/logs" }
    var coordinator: String { "\(directory)/coordinator" }
    /// What the demo started: a line a process.
    var ledger: String { "\(directory)/processes" }
    /// What was claimed and what held.
    var claims: String { "\(directory)/claims.json" }
    /// What an operator's shell needs, to be sourced; it holds a token.
    var shell: String { "\(directory)/env" }
    /// Marks the folder as the demo's own, so that it may be removed.
    private var mark: String { "\(directory)/.belay-demo" }

    func program(_ name: String) -> String { "\(programs)/\(name)" }

    /// `text` with paths as they are typed in the present folder.
    func shortened(_ text: String) -> String {
        let here = FileManager.default.currentDirectoryPath
        return here == "/" ? text : text.replacing(here + "/", with: "")
    }

    /// Makes the folder anew; refuses to remove one that the demo has not made.
    func makeEmpty() throws {
        let isEmpty = (try? FileManager.default.contentsOfDirectory(atPath: directory))?.isEmpty
        if isEmpty == false {
            guard access(mark, F_OK) == 0 else {
                throw DemoFailure("\(directory) is not a folder of the demo; choose another --dir")
            }
            // Moved away first: a removal that is cut off would leave a folder without its mark.
            let old = directory + ".old"
            do {
                if access(old, F_OK) == 0 { try FileManager.default.removeItem(atPath: old) }
                try FileManager.default.moveItem(atPath: directory, toPath: old)
                try FileManager.default.removeItem(atPath: old)
            } catch {
                throw DemoFailure("cannot remove the last demo in \(directory): \(error)")
            }
        }
        try TextFile.makeDirectory(directory)
        try TextFile.write("", to: mark)
        for path in [hosts, logs] { try TextFile.makeDirectory(path) }
        try TextFile.copy("\(sources)/plans", to: plans)
    }

    private static func absolute(_ path: String) -> String {
        URL(fileURLWithPath: path).standardizedFileURL.path
    }

    private static func ownFolder() -> String {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        return URL(fileURLWithPath: own ?? ".build/debug/x").deletingLastPathComponent().path
    }
}
