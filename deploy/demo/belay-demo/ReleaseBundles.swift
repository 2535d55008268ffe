/// Packs the three releases of the registry: one binary, and a file that says which one it is.
struct ReleaseBundles: Sendable {
    static let versions = ["1.0.0", "2.0.0", "2.1.0"]

    private let layout: DemoLayout
    private let programs: Programs

    init(layout: DemoLayout, programs: Programs) {
        self.layout = layout
        self.programs = programs
    }

    /// The unpacked folder of a version.
    func folder(_ version: String) -> String { "\(layout.directory)/releases/\(version)" }

    /// Lays out all versions, and packs those that are rolled out beside the plans.
    func pack() async throws {
        let stripped = "\(layout.directory)/releases/registry"
        try TextFile.makeDirectory("\(layout.directory)/releases")
        let strip = try await programs.run(
            "strip", ["/usr/bin/env", "strip", "-o", stripped, layout.program("registry")])
        // Smaller is quicker to roll out; without binutils it goes as it was built.
        if strip.code != 0 { try TextFile.copy(layout.program("registry"), to: stripped) }
        for version in Self.versions {
            try TextFile.makeDirectory(folder(version))
            try TextFile.copy(stripped, to: "\(folder(version))/registry")
            try TextFile.copy(
                "\(layout.sources)/registry/service", to: "\(folder(version))/service")
            try TextFile.write(version + "\n", to: "\(folder(version))/RELEASE")
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for version in Self.versions.dropFirst() {
                group.addTask {
                    _ = try await programs.runToSuccess(
                        "tar-\(version)",
                        [
                            "/usr/bin/env", "tar", "--use-compress-program=gzip -1", "--create",
                            "--sort=name", "--owner=0", "--group=0", "--numeric-owner",
                            "--mtime=@0", "--file",
                            "\(layout.plans)/registry-\(version).tar.gz", "--directory",
                            folder(version), ".",
                        ])
                }
            }
            try await group.waitForAll()
        }
    }
}
