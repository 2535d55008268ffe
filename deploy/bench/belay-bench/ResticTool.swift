/// restic, with a local repository of version 2 (compressed), its usual cache, and no progress.
final class ResticTool: BenchTool {
    let name = "restic"
    let place: String
    let knowsUnchanged = true
    private let program: String
    /// Since 0.17 a restore can leave alone what is as it was; older ones write everything anew.
    private let restoresOnlyChanges: Bool

    init(program: String, version: String, place: String) {
        self.program = program
        self.place = place
        restoresOnlyChanges = Self.isAtLeast017(version)
    }

    func prepare(_ runner: ProgramRunner) throws {
        try Folder.remove(store)
        try Folder.remove(cache)
        try runner.succeed(
            base + ["init", "--repository-version", "2"], environment: environment)
    }

    /// The tree is named relative to where it runs, so that it can be restored elsewhere.
    func capture(_ root: String) -> ToolCommand {
        ToolCommand(
            arguments: base + ["backup", "--quiet", "tree"], environment: environment,
            directory: root)
    }

    func restore(into root: String) -> ToolCommand {
        let more = restoresOnlyChanges ? ["--overwrite", "if-changed"] : []
        return ToolCommand(
            arguments: base + ["restore", "latest", "--target", root] + more,
            environment: environment)
    }

    private var cache: String { "\(place)/cache" }
    private var base: [String] { [program, "--repo", store, "--cache-dir", cache] }
    private let environment = ["RESTIC_PASSWORD": "bench"]

    /// From `restic 0.14.0 compiled with …`.
    static func isAtLeast017(_ version: String) -> Bool {
        let numbers =
            version.split(separator: " ").dropFirst().first?
            .split(separator: ".").compactMap { Int($0) } ?? []
        guard numbers.count >= 2 else { return false }
        return numbers[0] > 0 || numbers[1] >= 17
    }
}

/// borg, with a local repository without encryption and its usual lz4.
final class BorgTool: BenchTool {
    let name = "borg"
    let place: String
    let knowsUnchanged = true
    private let program: String
    private var captures = 0

    init(program: String, place: String) {
        self.program = program
        self.place = place
    }

    func prepare(_ runner: ProgramRunner) throws {
        try Folder.remove(store)
        try Folder.remove("\(place)/home")
        try runner.succeed(
            [program, "init", "--encryption", "none", store], environment: environment)
    }

    func capture(_ root: String) -> ToolCommand {
        captures += 1
        return ToolCommand(
            arguments: [program, "create", "\(store)::\(archive)", "tree"],
            environment: environment, directory: root)
    }

    func restore(into root: String) -> ToolCommand {
        ToolCommand(
            arguments: [program, "extract", "\(store)::\(archive)"], environment: environment,
            directory: root)
    }

    private var archive: String { "a\(captures)" }
    private var environment: [String: String] {
        [
            "BORG_BASE_DIR": "\(place)/home",
            "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",
            "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes",
        ]
    }
}
