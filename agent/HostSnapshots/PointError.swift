import Glibc

/// Why a point could not be taken, read or restored.
package struct PointError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was attempted.
    package let attempt: String
    /// The file, object or component.
    package let subject: String
    /// Why it failed.
    package let cause: String
    /// What to do.
    package let remedy: String

    /// One sentence with all of these.
    package var description: String { "\(attempt) \(subject): \(cause); \(remedy)" }

    init(
        _ attempt: String, _ subject: String, _ cause: String, _ remedy: String, code: Int32 = 0
    ) {
        self.code = code
        self.attempt = attempt
        self.subject = subject
        self.cause = cause
        self.remedy = remedy
    }

    /// The errno of a failed system call; 0 for everything else.
    let code: Int32

    /// True if bytes of the store are not what they must be, or the disk cannot read them.
    var isDamage: Bool { remedy == Self.damageRemedy || code == EIO }
    /// True if something is sealed with a key that is not at hand.
    var isWrongKey: Bool { remedy == Self.wrongKeyRemedy }
    /// True if the file system takes no changes.
    var isReadOnly: Bool { code == EROFS }

    private static let damageRemedy = "restore another point, and find out what damaged the store"
    private static let wrongKeyRemedy =
        "let key_file in settings.json name the key it was sealed with"

    /// The failure of a system call, `code` being errno.
    static func system(_ attempt: String, _ path: [UInt8], _ code: Int32) -> PointError {
        let remedy =
            switch code {
            case EPERM:
                "run the agent as root; if it is, take immutable and append-only flags off (lsattr "
                    + "shows them, chattr -i -a)"
            case EACCES: "run the agent as root or give it access"
            case ENOSPC, EDQUOT: "free space on its file system and try again"
            case EMFILE, ENFILE: "raise the limit of open files"
            case ELOOP: "name the real path: symbolic links are never followed"
            case EROFS: "mount the file system writable"
            default: "look at the path and try again"
            }
        return PointError(
            attempt, printable(path), String(cString: strerror(code)), remedy, code: code)
    }

    static func damaged(_ what: String, _ why: String) -> PointError {
        PointError("read", what, why, damageRemedy)
    }

    /// `sealer` is the identifier of the key it is sealed with, `key` the one at hand.
    static func wrongKey(_ subject: String, sealer: String, _ key: StoreKey?) -> PointError {
        PointError(
            "open", subject,
            "it is sealed with key \(sealer), and "
                + (key.map { "key_file holds key \($0.name)" } ?? "no key_file is set"),
            wrongKeyRemedy)
    }

    /// The same of sealed bytes, which begin with the identifier.
    static func wrongKey(
        _ subject: String, _ sealed: some Sequence<UInt8>, _ key: StoreKey?
    ) -> PointError {
        let sealer = StoreKey.text(of: sealed.prefix(StoreKey.identifierBytes))
        return wrongKey(subject, sealer: sealer, key)
    }
}

/// `path` for people: bytes outside printable ASCII and `%` as `%XX`.
func printable(_ path: [UInt8]) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var text: [UInt8] = []
    for byte in path {
        if byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "%") {
            text.append(byte)
        } else {
            text += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: text, as: UTF8.self)
}
