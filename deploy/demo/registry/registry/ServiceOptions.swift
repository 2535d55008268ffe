import ArgumentParser
import FoundationEssentials
import Glibc
import RegistryCore

/// Where a command finds configuration and release.
struct ServiceOptions: ParsableArguments {
    @Option(help: "The configuration file.")
    var config = "/etc/registry/registry.yaml"

    /// The release in the file `RELEASE` beside this executable.
    func release() throws(RegistryProblem) -> Release {
        try Release.read(from: Self.executableDirectory() + "/RELEASE")
    }

    /// The configuration as the release reads it.
    func configuration(for release: Release) throws(RegistryProblem) -> Configuration {
        try Configuration.read(from: config, for: release)
    }

    /// The registry, opened.
    func registry() throws -> Registry {
        let release = try release()
        return try Registry(configuration: configuration(for: release), release: release)
    }

    private static func executableDirectory() throws(RegistryProblem) -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { room in
            room.baseAddress.map { readlink("/proc/self/exe", $0, room.count) } ?? 0
        }
        let path = count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : ""
        guard let slash = path.lastIndex(of: "/") else {
            throw RegistryProblem(.unavailable, "cannot find out where this executable lies")
        }
        return String(path[..<slash])
    }
}
