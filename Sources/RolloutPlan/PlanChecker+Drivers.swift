import FleetWire

/// The drivers that run programs or take snapshots.
extension PlanChecker {
    mutating func checkPackage(_ package: PackageComponent, _ path: PlanPath) {
        if !Self.isPackage(package.name) {
            error(
                path["name"],
                "expected a Debian package such as `nginx` or `libc6:amd64`, found "
                    + "`\(package.name)`")
        }
        if let line = package.repository {
            if line.contains("{{") { noTemplate(path["repository"]) }
            if !line.hasPrefix("deb ") || line.contains("\n") {
                error(
                    path["repository"],
                    "expected one line of sources.list(5), such as "
                        + "`deb https://deb.example.org/ stable main`")
            }
        }
    }

    /// Debian policy, 5.6.7: lower case letters, digits, plus, minus and period, two at least,
    /// beginning with a letter or digit.
    private static func isPackage(_ name: String) -> Bool {
        let parts = name.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count < 3 else { return false }
        func isLetterOrDigit(_ byte: UInt8) -> Bool {
            (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
        }
        return parts.allSatisfy { part in
            guard part.count >= 2, let first = part.first, isLetterOrDigit(first) else {
                return false
            }
            return part.allSatisfy { isLetterOrDigit($0) || "+-.".utf8.contains($0) }
        }
    }

    mutating func checkPostgres(_ postgres: PostgresComponent, _ path: PlanPath) {
        if postgres.database.isEmpty || postgres.database.utf8.count > 63 {
            error(path["database"], "a database's name has 1 to 63 bytes")
        }
        if ["template0", "template1"].contains(postgres.database) {
            error(path["database"], "the server's templates cannot be a component")
        }
        let texts = [
            ("database", postgres.database), ("host", postgres.host), ("user", postgres.user),
            ("passfile", postgres.passfile), ("service", postgres.service),
            ("account", postgres.account), ("programs", postgres.programs),
        ]
        for (key, text) in texts {
            guard let text else { continue }
            if text.contains("{{") {
                noTemplate(path[key])
            } else if text.isEmpty, key != "database" {
                error(path[key], "it is empty; leave it out instead")
            }
        }
        for (key, name) in [("passfile", postgres.passfile), ("programs", postgres.programs)] {
            if let name, !name.isEmpty, !name.contains("{{") { checkPath(name, path[key]) }
        }
        if let account = postgres.account, account.hasPrefix("-") {
            error(path["account"], "expected an account of the host, found `\(account)`")
        }
    }

    mutating func checkCommand(_ command: CommandComponent, _ path: PlanPath) {
        let programs = [
            ("capture", command.capture), ("restore", command.restore),
            ("verify", command.verify), ("remove", command.remove),
        ]
        for (key, argv) in programs {
            guard let argv else { continue }
            if argv.first?.isEmpty ?? true { error(path[key], "no program is named") }
            for (index, text) in argv.enumerated() where text.contains("{{") {
                noTemplate(path[key][index])
            }
        }
        for (name, text) in command.env.sorted(by: { $0.key < $1.key }) {
            if text.contains("{{") { noTemplate(path["env"][name]) }
            if name.isEmpty || name.contains("=") {
                error(path["env"][name], "`\(name)` is no name of a variable", atKey: true)
            }
        }
        if command.verify == nil {
            warn(path, "without `verify` nobody tells whether what was restored is sound")
        }
    }

    /// A point is restored without the plan's context too, by the guard and by hand on the host.
    mutating func noTemplate(_ path: PlanPath) {
        error(path, "components are the same on all hosts; no templates here")
    }
}
