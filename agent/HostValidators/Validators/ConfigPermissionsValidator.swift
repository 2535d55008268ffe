import FleetWire
import Glibc
import HostProcesses
import Validation

/// The check `config_permissions`.
struct ConfigPermissionsValidator: Validator {
    let spec = ValidatorSpec.configPermissions

    func look(_ parameters: CheckParameters, _ context: LookContext) async -> Finding {
        await context.blocking { _ in Self.look(parameters, root: context.root) }
    }

    private static func look(_ parameters: CheckParameters, root: String) -> Finding {
        let suffixes = parameters.texts("suffixes")
        let list = FileList(parameters.texts("paths")) { path in
            suffixes.isEmpty || suffixes.contains(where: path.hasSuffix)
        }
        var offences = Offences()
        let accounts = Accounts(root: root)
        let modes = [("mode_max", CheckStatus.fail), ("mode_warn", .warn)].compactMap {
            name, status -> (String, CheckStatus, UInt32)? in
            guard let text = parameters.text(name) else { return nil }
            guard let mode = UInt32(text, radix: 8), mode <= 0o7777 else {
                offences.judgement.note(.unknown, "\(name) \(text) is not octal")
                return nil
            }
            return (name, status, mode)
        }
        let owners = ids("owners", parameters, accounts.user, &offences.judgement)
        let groups = ids("groups", parameters, accounts.group, &offences.judgement)
        for path in list.missing { offences.add(.fail, path, "is missing") }
        for why in list.obstacles { offences.judgement.note(.unknown, why) }
        for (path, status) in list.files {
            let mode = UInt32(status.st_mode) & 0o7777
            for (name, verdict, most) in modes where mode & ~most != 0 {
                offences.add(
                    verdict, path, "mode \(octal(mode)) is more than \(name), \(octal(most))")
            }
            if let owners, !owners.contains(status.st_uid) {
                offences.add(.fail, path, "belongs to \(accounts.userName(status.st_uid))")
            }
            if let groups, !groups.contains(status.st_gid) {
                offences.add(.fail, path, "is of group \(accounts.groupName(status.st_gid))")
            }
        }
        for (path, status) in list.folders where status.st_mode & 0o1002 == 0o002 {
            offences.add(.fail, path, "everybody may write this folder")
        }
        if list.files.isEmpty && list.missing.isEmpty {
            offences.judgement.note(.unknown, "no file was looked at")
        }
        return offences.judgement.finding(
            "\(list.files.count) files looked at"
                + (offences.lines.isEmpty ? "" : ", \(offences.lines.count) offences"),
            remedy: "set them with chmod and chown, and look who changed them",
            evidence: offences.lines)
    }

    private static func ids(
        _ list: String, _ parameters: CheckParameters, _ number: (String) -> UInt32?,
        _ judgement: inout Judgement
    ) -> Set<UInt32>? {
        guard parameters.values[list] != nil else { return nil }
        var found: Set<UInt32> = []
        for name in parameters.texts(list) {
            guard let id = number(name) else {
                judgement.note(.unknown, "\(name) of \(list) is not on this host")
                return nil
            }
            found.insert(id)
        }
        return found
    }

    private static func octal(_ mode: UInt32) -> String { "0" + String(mode, radix: 8) }
}

/// What is wrong with files: the first of each kind in the finding, all as evidence.
struct Offences {
    var judgement = Judgement()
    private(set) var lines: [String] = []
    private var noted: Set<CheckStatus> = []

    mutating func add(_ status: CheckStatus, _ path: String, _ what: String) {
        lines.append("\(path): \(what)")
        // One reason a verdict is enough for a line; a note without any would lose the verdict.
        if noted.insert(status).inserted { judgement.note(status, "\(path): \(what)") }
    }
}
