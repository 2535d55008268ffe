import CLinux
import FleetWire
import Glibc
import HostProcesses
import Validation

/// The check `permissions`.
struct PermissionsValidator: Validator {
    let spec = ValidatorSpec.permissions

    func look(_ parameters: CheckParameters, _ context: LookContext) async -> Finding {
        await context.blocking { _ in Self.look(parameters, context) }
    }

    private static func look(_ parameters: CheckParameters, _ context: LookContext) -> Finding {
        let path = parameters["path"]
        var status = stat()
        guard stat(path, &status) == 0 else {
            let code = errno
            return code == ENOENT || code == ENOTDIR
                ? .fail("\(path) is missing", "deploy it again, or correct the path")
                : .unknown("\(path): \(errorText(code))", "check the folders above it")
        }
        let accounts = Accounts(root: context.root)
        let mode = UInt32(status.st_mode) & 0o7777
        var judgement = Judgement()
        compare("owner", parameters, status.st_uid, accounts.user, &judgement)
        compare("group", parameters, status.st_gid, accounts.group, &judgement)
        judge(mode, parameters, &judgement)
        judgeRights(path, parameters, accounts, root: context.root, &judgement)
        return judgement.finding(
            "\(path): owner \(accounts.userName(status.st_uid)), "
                + "group \(accounts.groupName(status.st_gid)), mode \(octal(mode))",
            remedy: "set them with chown and chmod, and look who changed them")
    }

    private static func compare(
        _ what: String, _ parameters: CheckParameters, _ found: UInt32,
        _ number: (String) -> UInt32?, _ judgement: inout Judgement
    ) {
        guard let wanted = parameters.text(what) else { return }
        guard let id = number(wanted) else {
            return judgement.note(.unknown, "no \(what) is called \(wanted) on this host")
        }
        if id != found { judgement.note(.fail, "\(what) \(wanted) wanted") }
    }

    private static func judge(
        _ mode: UInt32, _ parameters: CheckParameters, _ judgement: inout Judgement
    ) {
        for name in ["mode", "mode_max", "mode_warn"] {
            guard let text = parameters.text(name) else { continue }
            guard let wanted = UInt32(text, radix: 8), wanted <= 0o7777 else {
                judgement.note(.unknown, "\(name) \(text) is not octal")
                continue
            }
            let isCrossed = name == "mode" ? mode != wanted : mode & ~wanted != 0
            guard isCrossed else { continue }
            judgement.note(
                name == "mode_warn" ? .warn : .fail,
                name == "mode"
                    ? "mode \(octal(wanted)) wanted"
                    : "more than \(name), \(octal(wanted)), by \(octal(mode & ~wanted))")
        }
    }

    private static func judgeRights(
        _ path: String, _ parameters: CheckParameters, _ accounts: Accounts, root: String,
        _ judgement: inout Judgement
    ) {
        for (name, isWanted) in [("writable_by", true), ("not_writable_by", false)] {
            guard let user = parameters.text(name) else { continue }
            guard let id = accounts.user(user) else {
                judgement.note(.unknown, "no user is called \(user) on this host")
                continue
            }
            let rights = UserRights(user: id, groups: accounts.groups(of: user, id))
            switch rights.canWrite(path, root: root) {
            case .success(let can) where can == isWanted: break
            case .success(let can):
                judgement.note(.fail, "\(user) \(can ? "can" : "cannot") write it")
            case .failure(let why): judgement.note(.unknown, why.reason)
            }
        }
    }

    private static func octal(_ mode: UInt32) -> String {
        let digits = String(mode, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}

/// What a user may do with files, reckoned from owner, group and mode (path_resolution(7)).
struct UserRights {
    struct Unsure: Error {
        var reason: String
    }

    let user: UInt32
    let groups: Set<UInt32>

    /// Whether the user can write `path` and reach it through the folders below `root`.
    func canWrite(_ path: String, root: String) -> Result<Bool, Unsure> {
        // The superuser passes all of these; a read-only mount refuses him as well.
        var mount = statvfs()
        if statvfs(path, &mount) == 0, mount.f_flag & UInt(ST_RDONLY) != 0 {
            return .success(false)
        }
        if user == 0 { return .success(true) }
        guard let real = realpath(path, nil) else {
            return .failure(Unsure(reason: "\(path): \(errorText(errno))"))
        }
        defer { free(real) }
        let base = root == "/" ? "" : root
        var folder = HostPath.parent(of: String(cString: real))
        while folder.hasPrefix(base) && folder.utf8.count > base.utf8.count {
            switch has(0o1, folder) {
            case .success(true): break
            case .success(false): return .success(false)
            case .failure(let unsure): return .failure(unsure)
            }
            if folder == "/" { break }
            folder = HostPath.parent(of: folder)
        }
        return has(0o2, String(cString: real))
    }

    /// True if the mode gives the user `bit` (4 read, 2 write, 1 search).
    private func has(_ bit: UInt32, _ path: String) -> Result<Bool, Unsure> {
        var status = stat()
        guard stat(path, &status) == 0 else {
            return .failure(Unsure(reason: "\(path): \(errorText(errno))"))
        }
        if status.st_uid != user, CLinux.getxattr(path, "system.posix_acl_access", nil, 0) > 0 {
            return .failure(Unsure(reason: "\(path) has an access control list"))
        }
        let shift: UInt32 = status.st_uid == user ? 6 : groups.contains(status.st_gid) ? 3 : 0
        return .success(UInt32(status.st_mode) >> shift & bit == bit)
    }
}
