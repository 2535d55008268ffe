import CLinux
import FleetWire
import Glibc
import HostProcesses

/// The step `artifact`. In order: unpack beside, flush, exchange by rename, switch the link. Cut
/// off anywhere, the destination is the old or the new one as a whole, and the next try clears away
/// what was left beside it.
struct ArtifactAction: Sendable {
    /// Holds the digest of the artifact from which a folder was unpacked.
    static let marker = ".belay-artifact"

    let place: StepPlace
    let plan: HostPlan
    let artifacts: @Sendable (Digest) -> String?
    /// Told the process group of each program before it begins.
    var onStart: (@Sendable (Int32) -> Void)?

    struct Target {
        let reference: ArtifactRef
        let destination: String
        let link: String?
        /// What the link says; relative, so that it is right below any root.
        let linkText: String
        let linkNow: String?
        let isUnpacked: Bool
        /// True if something stands at the destination.
        let isPresent: Bool
        /// Where it is unpacked, and its archive without gzip; gone after each try.
        var leftovers: (beside: String, plain: String) {
            (StepLeftovers.folder(destination), StepLeftovers.archive(destination))
        }
        var isLinked: Bool { link == nil || linkNow == linkText }
    }

    func target(_ action: ArtifactStep) throws(StepFailure) -> Target {
        guard let reference = plan.artifacts.first(where: { $0.name == action.artifact }) else {
            throw StepFailure("the plan has no artifact \(action.artifact)")
        }
        let destination = try place.path(action.destination)
        guard destination != "/" && destination != place.root else {
            throw StepFailure("an artifact cannot be unpacked over the root folder")
        }
        var status = stat()
        let isPresent = lstat(destination, &status) == 0
        guard !isPresent || status.st_mode & S_IFMT == S_IFDIR else {
            throw StepFailure("\(destination) is not a folder; name the folder to unpack to")
        }
        var link: String?
        if let path = action.link { link = try place.path(path) }
        let marker = try HostFile.read(destination + "/" + Self.marker)
        return Target(
            reference: reference, destination: destination, link: link,
            linkText: link.map { Self.relative(destination, from: $0) } ?? "",
            linkNow: try link.flatMap(Self.readLink),
            isUnpacked: marker?.bytes == Array("\(reference.digest)\n".utf8), isPresent: isPresent)
    }

    func run(
        _ action: ArtifactStep, within limit: WorkLimit
    ) throws(StepFailure) -> String {
        let target = try target(action)
        // What a try that was cut off left, before or after the exchange.
        try HostFile.remove(target.leftovers.beside)
        try HostFile.remove(target.leftovers.plain)
        if target.isUnpacked && target.isLinked {
            return "\(action.artifact) is in place at \(target.destination) already"
        }
        if !target.isUnpacked { try unpack(target, within: limit) }
        if let link = target.link, !target.isLinked {
            try Self.switchLink(link, to: target.linkText)
        }
        let linked = target.link.map { ", and \($0) leads there" } ?? ""
        return "\(action.artifact) (\(target.reference.digest.short)) is at \(target.destination)"
            + linked
    }

    private func unpack(
        _ target: Target, within limit: WorkLimit
    ) throws(StepFailure) {
        let reference = target.reference
        guard let archive = artifacts(reference.digest), access(archive, R_OK) == 0 else {
            throw StepFailure(
                "artifact \(reference.name) (\(reference.digest.short)) is not on this host; "
                    + "run the preparation again")
        }
        let (beside, plain) = target.leftovers
        do throws(StepFailure) {
            let tar = try decompressed(archive, to: plain, within: limit)
            try TarArchive.check(tar)
            guard mkdir(beside, 0o755) == 0, chmod(beside, 0o755) == 0 else {
                throw StepFailure("\(beside): \(errorText(errno)); its folder must exist")
            }
            try tool(
                [
                    "tar", "--extract", "--file", tar, "--directory", beside, "--no-same-owner",
                    "--preserve-permissions", "--delay-directory-restore",
                ], within: limit)
            try HostFile.remove(plain)
            try HostFile.replace(
                beside + "/" + Self.marker, with: Array("\(reference.digest)\n".utf8),
                existing: nil, mode: 0o644)
            try flush(beside)
            guard !limit.isOver else {
                var late = StepFailure("the artifact was not unpacked in time; nothing changed")
                late.isLate = !limit.cancellation.isCancelled
                throw late
            }
            try exchange(beside, target)
        } catch {
            try? HostFile.remove(plain)
            try? HostFile.remove(beside)
            throw error
        }
    }

    private func exchange(_ beside: String, _ target: Target) throws(StepFailure) {
        let flags = target.isPresent ? belay_rename_exchange : 0
        guard renameat2(AT_FDCWD, beside, AT_FDCWD, target.destination, flags) == 0 else {
            throw StepFailure("\(target.destination) cannot be exchanged: \(errorText(errno))")
        }
        try HostFile.syncFolder(of: target.destination)
        try HostFile.remove(beside)
    }

    /// The plain tar file of an archive: itself, or what gzip makes of it at `plain`.
    private func decompressed(
        _ archive: String, to plain: String, within limit: WorkLimit
    ) throws(StepFailure) -> String {
        var magic: [UInt8] = [0, 0]
        let file = open(archive, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw StepFailure("\(archive): \(errorText(errno))") }
        _ = read(file, &magic, 2)
        close(file)
        guard magic == [0x1F, 0x8B] else { return archive }
        try tool(
            ["/bin/sh", "-c", "exec gzip -dc < \"$1\" > \"$2\"", "sh", archive, plain],
            within: limit)
        return plain
    }

    private func tool(
        _ argv: [String], within limit: WorkLimit
    ) throws(StepFailure) {
        var run = ProcessRun(
            argv: argv, environment: ["PATH": ProcessRun.path, "LANG": "C.UTF-8"], directory: "/",
            timeout: limit.left)
        run.onStart = onStart
        let result = run.runBlocking(limit.cancellation)
        guard result.ending != .exited(0) else { return }
        var failure = StepFailure("the archive cannot be unpacked (\(argv[0]): \(result.ending))")
        failure.isLate = result.ending == .timedOut
        failure.output = result.text
        throw failure
    }

    private func flush(_ folder: String) throws(StepFailure) {
        let file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { throw StepFailure("\(folder): \(errorText(errno))") }
        defer { close(file) }
        guard syncfs(file) == 0 else { throw StepFailure("\(folder): \(errorText(errno))") }
    }

    private static func switchLink(_ link: String, to text: String) throws(StepFailure) {
        let beside = StepLeftovers.beside(link)
        unlink(beside)
        guard symlink(text, beside) == 0, rename(beside, link) == 0 else {
            let reason = errorText(errno)
            unlink(beside)
            throw StepFailure("the link \(link) cannot be switched: \(reason)")
        }
        try HostFile.syncFolder(of: link)
    }

    private static func readLink(_ path: String) throws(StepFailure) -> String? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        guard status.st_mode & S_IFMT == S_IFLNK else {
            throw StepFailure("\(path) is not a symbolic link; move it away before it is replaced")
        }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { room in
            room.withMemoryRebound(to: CChar.self) { text in
                text.baseAddress.map { readlink(path, $0, text.count) } ?? -1
            }
        }
        return count < 0 ? nil : String(decoding: buffer.prefix(count), as: UTF8.self)
    }

    private static func relative(_ target: String, from link: String) -> String {
        let to = target.split(separator: "/")
        let from = HostPath.parent(of: link).split(separator: "/")
        let shared = zip(to, from).prefix { $0 == $1 }.count
        let parts =
            Array(repeating: "..", count: from.count - shared)
            + to.dropFirst(shared).map(String.init)
        return parts.isEmpty ? "." : parts.joined(separator: "/")
    }
}
