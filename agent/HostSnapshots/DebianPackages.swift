import FleetWire
import Glibc
import HostProcesses

/// dpkg and apt for one package, below the agent's root: on a real host the system's, else those of
/// the root, with nothing of the host's configuration.
struct DebianPackages {
    /// What dpkg knows of the package.
    struct Status: Equatable {
        /// What was selected: `install`, `hold`, `deinstall`, `purge`.
        var selection: String
        /// How far it is: `installed`, `config-files`, …
        var progress: String
        var version: String
        var architecture: String
    }

    let name: String
    let root: String
    let store: StoreFiles
    let programs: DriverPrograms
    /// Keeps the configuration and lists of apt for as long as they are used.
    private let scratch: ScratchFolder
    private let environment: [String: String]
    private let repository: String?

    init(
        _ component: PackageComponent, _ host: DriverHost, attempt: String
    ) throws {
        let store = host.store
        name = component.name
        root = host.root.path.hasSuffix("/") ? String(host.root.path.dropLast()) : host.root.path
        self.store = store
        repository = component.repository
        scratch = try ScratchFolder("apt", store)
        var programs = DriverPrograms(
            attempt: attempt, subject: "package \(component.name)", root: root,
            timeout: component.timeout ?? .seconds(600))
        programs.environment = [
            "DEBIAN_FRONTEND": "noninteractive", "APT_CONFIG": scratch.path + "/apt.conf",
            "APT_LISTCHANGES_FRONTEND": "none", "NEEDRESTART_SUSPEND": "1",
        ]
        programs.stop = host.stop
        self.programs = programs
        environment = programs.environment
        try scratch.write("apt.conf", configuration)
        if let repository { try scratch.write("sources.list", repository + "\n") }
    }

    /// apt.conf(5): a file that APT_CONFIG names is read before all others and says where these lie.
    private var configuration: String {
        var lines = ["APT::Sandbox::User \"root\";"]
        if !root.isEmpty {
            lines += [
                "Dir \"\(root)/\";", "Dir::State::status \"\(root)/var/lib/dpkg/status\";",
                "DPkg::Options:: \"--root=\(root)\";",
            ]
            if geteuid() != 0 { lines.append("DPkg::Options:: \"--force-not-root\";") }
        }
        if repository != nil {
            lines += [
                "Dir::Etc::sourcelist \"\(scratch.path)/sources.list\";",
                "Dir::Etc::sourceparts \"\(scratch.path)/none\";",
                "Dir::State::lists \"\(scratch.path)/lists\";",
            ]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Nil if dpkg does not know it. Throws if it is there for several architectures.
    func status() throws -> Status? {
        let argv = [
            "dpkg-query", "--admindir=\(root)/var/lib/dpkg", "--show",
            "--showformat=${Status}\\t${Version}\\t${Architecture}\\n", "--", name,
        ]
        let (code, result) = try programs.run(argv)
        if code == 1 { return nil }
        guard code == 0 else { throw programs.failure("dpkg-query exited \(code)", result) }
        let lines = String(decoding: result.output, as: UTF8.self).split(separator: "\n")
        let all: [Status] = lines.compactMap { line in
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
            guard fields.count == 3 else { return nil }
            let words = fields[0].split(separator: " ")
            guard words.count == 3, words[2] != "not-installed" else { return nil }
            return Status(
                selection: String(words[0]), progress: String(words[2]),
                version: String(fields[1]), architecture: String(fields[2]))
        }
        guard all.count < 2 else {
            throw programs.failure(
                "it is installed for several architectures", result, "name it NAME:ARCHITECTURE")
        }
        return all.first
    }

    // MARK: - Where a version can be had

    /// The package file in apt's cache; nil if it is not there.
    func cached(_ status: Status) -> String? {
        let bare = name.split(separator: ":").first.map(String.init) ?? name
        let version = status.version.split(separator: ":", omittingEmptySubsequences: false)
            .joined(separator: "%3a")
        let path =
            "\(root)/var/cache/apt/archives/\(bare)_\(version)_\(status.architecture).deb"
        return access(path, R_OK) == 0 ? path : nil
    }

    /// True if a repository that the host knows, or the given one, has this version.
    func isInRepository(_ status: Status) throws -> Bool {
        try update()
        // apt-cache(8): lines of package, version and source, between bars.
        return try programs.succeed(["apt-cache", "madison", "--", name]).split(separator: "\n")
            .contains { line in
                let fields = line.split(separator: "|").map {
                    $0.drop { $0 == " " }.prefix { $0 != " " }
                }
                return fields.count == 3 && fields[1] == status.version
            }
    }

    /// The lists of the given repository; those of the host are as the host keeps them.
    private func update() throws {
        guard repository != nil else { return }
        try scratch.makeFolder("lists")
        try scratch.makeFolder("lists/partial")
        try scratch.makeFolder("none")
        try programs.succeed(
            ["apt-get", "--quiet", "update"], remedy: "correct the repository in the plan")
    }

    /// A package file of this version: from the cache, from a repository, or packed again from what
    /// is installed if dpkg-repack is there.
    func file(_ status: Status) throws -> String {
        if let cached = cached(status) { return cached }
        try update()
        let downloading = inScratch(programs)
        let (code, result) = try downloading.run([
            "apt-get", "--quiet", "download", "\(name)=\(status.version)",
        ])
        if code == 0, let file = try packageFile() { return file }
        if root.isEmpty, let (code, _) = try? downloading.run(["dpkg-repack", name]), code == 0,
            let file = try packageFile()
        {
            return file
        }
        throw programs.failure(
            "its version \(status.version) can be kept from nowhere", result,
            "put its .deb into \(root)/var/cache/apt/archives, name a repository that has it, or "
                + "install dpkg-repack")
    }

    private func inScratch(_ programs: DriverPrograms) -> DriverPrograms {
        var programs = programs
        programs.directory = scratch.path
        return programs
    }

    private func packageFile() throws -> String? {
        try scratch.names().first { $0.hasSuffix(".deb") }.map { "\(scratch.path)/\($0)" }
    }

    // MARK: - Changing

    private var dpkg: [String] {
        var argv = ["dpkg", "--force-confdef", "--force-confold"]
        if !root.isEmpty { argv.append("--root=\(root)") }
        if geteuid() != 0 { argv.append("--force-not-root") }
        return argv
    }

    /// Finishes what an interrupted dpkg left; what it cannot finish, the next call reports.
    func finish() { _ = try? programs.run(dpkg + ["--configure", "--pending"]) }

    func install(file: String) throws {
        try programs.succeed(dpkg + ["--install", file])
    }

    func installFromRepository(_ version: String) throws {
        try update()
        try programs.succeed([
            "apt-get", "--quiet", "--yes", "--no-remove", "--no-install-recommends",
            "--allow-downgrades", "--allow-change-held-packages",
            "-oDPkg::Options::=--force-confdef", "-oDPkg::Options::=--force-confold", "install",
            "\(name)=\(version)",
        ])
    }

    func remove(withConfiguration: Bool) throws {
        try programs.succeed(
            dpkg + [withConfiguration ? "--purge" : "--remove", "--", name],
            remedy: "remove what depends on it, or let the plan hold that as a component too")
    }

    func select(_ selection: String) throws {
        let file = try ScratchFile("selection", store)
        try Array("\(name) \(selection)\n".utf8).withUnsafeBytes {
            try file.file.write($0, Array(file.path.utf8))
        }
        try file.rewind()
        try programs.succeed(dpkg + ["--set-selections"], input: file.file)
    }
}
