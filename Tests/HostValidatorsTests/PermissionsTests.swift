import FleetWire
import FoundationEssentials
import Glibc
import Testing

@Suite struct PermissionsTests {
    /// A host with a user `app` (1001, group 1002, in `www`, 1003) who owns nothing.
    private func host() throws -> CheckRoot {
        let root = try CheckRoot()
        try root.place(
            "/etc/passwd",
            "root:x:0:0::/:/bin/sh\nme:x:\(getuid()):\(getgid())::/:/bin/sh\n"
                + "app:x:1001:1002::/:/bin/sh\n")
        try root.place("/etc/group", "mine:x:\(getgid()):\nwww:x:1003:app\n")
        try root.place("/srv/app.conf", "a", mode: 0o640)
        try root.place("/srv/open", "a", mode: 0o666)
        return root
    }

    private static let file: [String: ParameterValue] = ["path": .text("/srv/app.conf")]

    private static func of(_ more: [String: ParameterValue]) -> [String: ParameterValue] {
        file.merging(more) { $1 }
    }

    @Test(arguments: [
        Row("the mode is as wanted", of(["mode": .text("0640")]), .pass, says: "mode 0640"),
        Row("the mode is not", of(["mode": .text("0600")]), .fail, says: "mode 0600 wanted"),
        Row("no bit too many", of(["mode_max": .text("0644")]), .pass),
        Row("a bit too many", of(["mode_max": .text("0600")]), .fail, says: "by 0040"),
        Row("a bit too many to be silent", of(["mode_warn": .text("0600")]), .warn, says: "0040"),
        Row("the mode is no number", of(["mode": .text("rw-r--r--")]), .unknown, says: "octal"),
        Row("the owner is as wanted", of(["owner": .text("me")]), .pass, says: "/srv/app.conf"),
        Row("the owner is another", of(["owner": .text("app")]), .fail, says: "owner app wanted"),
        Row("no such owner", of(["owner": .text("nobody9")]), .unknown, says: "nobody9"),
        Row("the group is another", of(["group": .text("www")]), .fail, says: "group www wanted"),
        Row("no such group", of(["group": .text("nogroup9")]), .unknown),
        Row("the owner can write", of(["writable_by": .text("me")]), .pass),
        Row("others cannot write", of(["writable_by": .text("app")]), .fail, says: "cannot write"),
        Row("others must not write", of(["not_writable_by": .text("app")]), .pass),
        Row(
            "the world can write",
            ["path": .text("/srv/open"), "not_writable_by": .text("app")], .fail,
            says: "app can write it"),
        Row("no such user", of(["writable_by": .text("nobody9")]), .unknown),
        Row(
            "a failure outweighs what is not known",
            of(["owner": .text("nobody9"), "mode": .text("0600")]), .fail),
        Row(
            "the file is missing", ["path": .text("/srv/none"), "mode": .text("0600")], .fail,
            says: "/srv/none is missing"),
    ])
    func aFileIsHeldAgainstWhatIsWanted(_ row: Row) async throws {
        try await host().expect("permissions", row)
    }

    @Test func aFolderThatCannotBeSearchedKeepsItsFilesFromBeingWritten() async throws {
        let root = try host()
        let folder = root.path + "/srv"
        chmod(folder, 0o700)
        defer { chmod(folder, 0o755) }
        let parameters: [String: ParameterValue] = [
            "path": .text("/srv/open"), "writable_by": .text("app"),
        ]
        try await root.expect("permissions", Row("closed folder", parameters, .fail))
    }
}
