import CLinux
import Glibc

extension RandomTree {
    /// Changes what is below `path`: contents, metadata, kinds, names, links.
    mutating func mutate(_ path: [UInt8]) throws {
        guard let folder = OpenFolder(path) else { throw TestFailure("no directory to change") }
        mutate(folder, skipped: false)
    }

    private mutating func mutate(_ folder: OpenFolder, skipped: Bool) {
        let names = folder.names()
        for name in names {
            guard let found = folder.status(of: name) else { continue }
            let skipped = skipped || name.starts(with: Array("skip-".utf8))
            let inner = found.st_mode & S_IFMT == S_IFDIR ? folder.open(name) : nil
            switch next(13) {
            case 0: folder.erase(name)
            case 1:
                folder.erase(name)
                fill(folder, name)
            case 2:
                folder.erase(name)
                if let inner = makeFolder(folder, name) {
                    grow(inner, depth: 2, count: 4, skipped: skipped)
                }
            case 3:
                folder.erase(name)
                _ = terminated(name) { symlinkat("/etc", folder.raw, $0) }
            case 4: dress(folder, name)
            case 5: rewrite(folder, name, found)
            case 6: breakLink(folder, name, found)
            case 7: swap(folder, name, names[next(names.count)])
            case 8: touch(folder, name)
            default: if let inner { mutate(inner, skipped: skipped) }
            }
        }
        grow(folder, depth: 2, count: next(4), skipped: skipped)
    }

    /// Other bytes of the same count in the same inode, and the old time.
    private mutating func rewrite(_ folder: OpenFolder, _ name: [UInt8], _ found: stat) {
        guard found.st_mode & S_IFMT == S_IFREG, found.st_size > 0 else { return }
        let opened = terminated(name) { openat(folder.raw, $0, O_WRONLY | O_NOFOLLOW | O_CLOEXEC) }
        guard opened >= 0 else { return }
        defer { close(opened) }
        pwrite(opened, [UInt8(next(256))], 1, next(Int(found.st_size)))
        if next(2) == 0 { futimens(opened, [found.st_mtim, found.st_mtim]) }
    }

    /// A new inode with the same content and other metadata under the same name.
    private func breakLink(_ folder: OpenFolder, _ name: [UInt8], _ found: stat) {
        guard found.st_mode & S_IFMT == S_IFREG, found.st_nlink > 1,
            let (_, node) = try? TreeImage.read(folder.raw, name)
        else { return }
        folder.erase(name)
        let opened = terminated(name) { openat(folder.raw, $0, O_WRONLY | O_CREAT, 0o600) }
        guard opened >= 0 else { return }
        _ = Glibc.write(opened, node.content, node.content.count)
        close(opened)
    }

    private func swap(_ folder: OpenFolder, _ one: [UInt8], _ two: [UInt8]) {
        let skip = Array("skip-".utf8)
        guard !one.starts(with: skip), !two.starts(with: skip) else { return }
        _ = terminated(one) { one in
            terminated(two) { renameat2(folder.raw, one, folder.raw, $0, 2) }
        }
    }

    // MARK: - Metadata

    mutating func dress(_ folder: OpenFolder, _ name: [UInt8]) {
        guard let found = folder.status(of: name), found.st_mode & S_IFMT != S_IFLNK else { return }
        let isDirectory = found.st_mode & S_IFMT == S_IFDIR
        let isRegular = found.st_mode & S_IFMT == S_IFREG
        if geteuid() == 0 {
            let (owner, group) = (uid_t(next(3)), gid_t(next(3)))
            _ = terminated(name) { fchownat(folder.raw, $0, owner, group, AT_SYMLINK_NOFOLLOW) }
        }
        let modes: [mode_t] =
            isDirectory
            ? [0o755, 0o1777, 0o2750, 0o550, 0o700] : [0o644, 0o4755, 0o400, 0o600, 0o2711, 0o6555]
        let mode = modes[next(modes.count)]
        _ = terminated(name) { fchmodat(folder.raw, $0, mode, 0) }
        if isRegular || isDirectory {
            for _ in 0..<next(3) {
                let value = [UInt8](repeating: UInt8(next(200)), count: [0, 2, 700][next(3)])
                set(folder, name, "user.k\(next(3))", value)
            }
            // The owner of a directory must be able to enter it.
            let bits: UInt8 = isDirectory ? 7 : 6
            if next(6) == 0 {
                set(folder, name, "system.posix_acl_access", accessList(owner: bits))
            }
        }
        if isDirectory, next(5) == 0 {
            set(folder, name, "system.posix_acl_default", accessList(owner: 7))
        }
        if geteuid() == 0, next(6) == 0 { set(folder, name, "trusted.t", [UInt8(next(9))]) }
        if geteuid() == 0, isRegular, next(6) == 0 {
            // Revision 2, effective, one capability (linux/capability.h).
            set(
                folder, name, "security.capability",
                [1, 0, 0, 2, 0, UInt8(1 << next(8))] + [UInt8](repeating: 0, count: 14))
        }
        touch(folder, name)
    }

    /// A time before 1970, after 2038, or between; to the nanosecond.
    mutating func touch(_ folder: OpenFolder, _ name: [UInt8]) {
        let seconds = [-2_000_000_000, -1, 0, 1_000_000, 4_000_000_000, 5_000_000_000][next(6)]
        let time = timespec(tv_sec: seconds + next(1000), tv_nsec: next(1_000_000_000))
        _ = terminated(name) {
            utimensat(folder.raw, $0, [time, time], AT_SYMLINK_NOFOLLOW)
        }
    }

    /// Version 2: owner, one user, group, mask, others (linux/posix_acl_xattr.h).
    private mutating func accessList(owner: UInt8) -> [UInt8] {
        let nobody: [UInt8] = [255, 255, 255, 255]
        return [2, 0, 0, 0, 1, 0, owner, 0] + nobody + [
            2, 0, UInt8(next(8)), 0, UInt8(next(9)), 0, 0, 0,
        ]
            + [4, 0, 4, 0] + nobody + [16, 0, UInt8(next(8)), 0] + nobody + [32, 0, 0, 0] + nobody
    }

    private func set(_ folder: OpenFolder, _ name: [UInt8], _ key: String, _ value: [UInt8]) {
        _ = terminated(Array("/proc/self/fd/\(folder.raw)/".utf8) + name) {
            lsetxattr($0, key, value, value.count, 0)
        }
    }
}
