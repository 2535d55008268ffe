import FleetWire
import Foundation
import Glibc

@testable import HostSnapshots

/// A package that nobody else has, in the dpkg database of a root of its own: nothing of the
/// machine's packages is looked at or changed.
final class PackageSubject: DriverSubject {
    let scratch: Scratch
    var spec: ComponentSpec
    /// Version and selection are two changes of dpkg.
    let isAtomic = false
    /// The folder of the package files and of their list.
    let repository: String

    init(keep: Bool = false) throws {
        scratch = try Scratch()
        repository = scratch.path + "/repository"
        spec = ComponentSpec(
            name: try name("thing"),
            driver: .package(
                PackageComponent(
                    name: "belay-sample", keep: keep,
                    repository: keep ? nil : "deb [trusted=yes] file:\(repository) ./")),
            restart: false)
        for folder in [
            "var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/apt/lists/partial",
            "var/cache/apt/archives/partial", "etc/apt/apt.conf.d", "etc/apt/preferences.d",
            "etc/apt/sources.list.d", "etc/apt/trusted.gpg.d", "var/log/apt", "tmp", "usr/bin",
        ] { try Scratch.run(["mkdir", "-p", scratch.root + "/" + folder]) }
        try scratch.write("/var/lib/dpkg/status", "")
        mkdir(repository, 0o755)
        try build("1.0")
        try build("2.0-1")
        try list()
    }

    func file(_ version: String) -> String { repository + "/belay-sample_\(version)_all.deb" }

    private func build(_ version: String) throws {
        let tree = scratch.path + "/build-" + version
        try Scratch.run(["mkdir", "-p", tree + "/DEBIAN", tree + "/usr/share/belay-sample"])
        try Data(control(version).utf8).write(to: URL(fileURLWithPath: tree + "/DEBIAN/control"))
        try Data("version \(version)\n".utf8).write(
            to: URL(fileURLWithPath: tree + "/usr/share/belay-sample/version"))
        try Scratch.run(["chmod", "-R", "u=rwX,go=rX", tree])
        try Scratch.run(["dpkg-deb", "-Znone", "--build", tree, file(version)])
    }

    private func control(_ version: String) -> String {
        """
        Package: belay-sample
        Version: \(version)
        Architecture: all
        Maintainer: Nobody <nobody@example.org>
        Description: a package for tests

        """
    }

    private func list() throws {
        var text = ""
        for version in ["1.0", "2.0-1"] {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: file(version)))
            text += control(version)
            text += "Filename: ./belay-sample_\(version)_all.deb\nSize: \(bytes.count)\n"
            text += "SHA256: \(ObjectID(hashing: Array(bytes)).digest.hex)\n\n"
        }
        try Data(text.utf8).write(to: URL(fileURLWithPath: repository + "/Packages"))
    }

    func dpkg(_ arguments: String...) throws {
        let user = geteuid() == 0 ? [] : ["--force-not-root"]
        try Scratch.run(
            ["sh", "-c", "exec \"$@\" >/dev/null 2>&1", "sh", "dpkg", "--root=" + scratch.root]
                + user + arguments)
    }

    func select(_ selection: String) throws {
        let user = geteuid() == 0 ? "" : "--force-not-root "
        try Scratch.run([
            "sh", "-c",
            "echo belay-sample \(selection) | dpkg \(user)--root=\(scratch.root) --set-selections",
        ])
    }

    func make() throws {
        try dpkg("--install", file("1.0"))
        try select("hold")
    }
    func change() throws {
        try select("install")
        try dpkg("--install", file("2.0-1"))
    }
    func remove() throws { try dpkg("--purge", "belay-sample") }
    func breakIt() throws {
        // As a dpkg that was killed leaves it.
        let text = read("/var/lib/dpkg/status") ?? ""
        try scratch.write(
            "/var/lib/dpkg/status",
            text.replacingOccurrences(of: "ok installed", with: "ok half-installed"))
    }
    func view() throws -> String {
        let state = (read("/var/lib/dpkg/status") ?? "").split(separator: "\n")
            .filter { $0.hasPrefix("Status") || $0.hasPrefix("Version") }.joined(separator: ", ")
        let content = read("/usr/share/belay-sample/version") ?? ""
        return state.isEmpty && content.isEmpty ? "absent" : state + ": " + content
    }
}
