import FleetWire

extension PlanChecker {
    mutating func checkChecks(_ checks: [CheckSpec], _ path: PlanPath) {
        checkNames(checks.map(\.name), of: "check", path)
        for (index, check) in checks.enumerated() { checkCheck(check, path[index]) }
    }

    mutating func checkCheck(_ check: CheckSpec, _ path: PlanPath) {
        checkSpan(check.timeout, atLeast: 1, path["timeout"])
        let here = path[check.kind.name]
        switch check.kind {
        case .run(let run):
            checkRun(run.run, here)
            checkTemplate(run.contains ?? "", here["contains"])
            if run.contains?.isEmpty == true { error(here["contains"], "any output contains this") }
        case .http(let http): checkHTTP(http, here)
        case .diskSpace(let disk):
            checkPath(disk.path, here["path"])
            if disk.bytesMin.count == 0 {
                error(here["bytes_min"], "0 bytes are always free; this could not fail")
            }
        case .fileDigest(let file): checkPath(file.path, here["path"])
        case .sqliteIntegrity(let database):
            checkPath(database.path, here["path"])
            if let version = database.userVersion, version < 0 {
                error(here["user_version"], "expected \(Shape.integer(0...Int.max).expected)")
            }
        case .validator(let call): checkCall(call, path)
        case .unknown(let name): error(path, "no check is called `\(name)`")
        }
    }

    private mutating func checkHTTP(_ check: HTTPCheck, _ path: PlanPath) {
        checkTemplate(check.url, path["url"])
        if check.url.hasPrefix("https://") {
            error(path["url"], "the check speaks plain HTTP only; expected `http://`")
        } else if !check.url.hasPrefix("{{") {
            let rest = check.url.hasPrefix("http://") ? check.url.dropFirst(7) : ""
            if rest.isEmpty || rest.hasPrefix("/") || check.url.contains(where: \.isNewline) {
                error(path["url"], "expected `http://host[:port]/path`, found `\(check.url)`")
            }
        }
        if let wrong = check.status.first(where: { !(100...599).contains($0) }) {
            error(path["status"], "\(wrong) is not a status of HTTP; expected 100 to 599")
        }
        if let text = check.contains {
            if text.isEmpty { error(path["contains"], "any body contains this") }
            checkTemplate(text, path["contains"])
        }
    }

    mutating func checkRun(_ run: RunStep, _ path: PlanPath) {
        if run.shell != nil && !run.argv.isEmpty {
            error(path, "a program is `argv` or `shell`, not both")
        } else if run.shell == nil && run.argv.first?.isEmpty ?? true {
            error(path["argv"], "no program is named")
        } else if run.shell?.isEmpty == true {
            error(path["shell"], "the script is empty")
        }
        for (index, text) in run.argv.enumerated() { checkTemplate(text, path["argv"][index]) }
        if let shell = run.shell { checkTemplate(shell, path["shell"]) }
        for (name, value) in run.env.sorted(by: { $0.key < $1.key }) {
            if name.isEmpty || name.contains("=") || name.contains("\0") {
                error(path["env"][name], "`\(name)` is not a name of a variable", atKey: true)
            }
            checkTemplate(value, path["env"][name])
        }
        if let directory = run.directory { checkPath(directory, path["directory"]) }
    }

    mutating func checkSQLite(_ step: SQLiteStep, _ path: PlanPath) {
        checkWritten(step.path, path["path"], as: "sqlite")
        if step.migrations.isEmpty { error(path["migrations"], "no migration is named") }
        var last = 0
        for (index, migration) in step.migrations.enumerated() {
            let here = path["migrations"][index]
            if migration.version <= last {
                error(
                    here["version"],
                    "versions ascend from 1: \(migration.version) does not come after \(last)")
            }
            last = max(last, migration.version)
            if migration.sql.allSatisfy(\.isWhitespace) {
                error(here["sql"], "a migration has statements")
            }
            for word in SQLWords(migration.sql).statementStarts
            where ["begin", "commit", "end", "rollback"].contains(word) {
                error(
                    here["sql"],
                    "`\(word.uppercased())` cannot stand here: each migration is one transaction "
                        + "already")
            }
        }
    }
}
