import FleetWire
import Glibc
import HostProcesses
import Validation

/// The check `package_version`.
struct PackageVersionValidator: Validator {
    let spec = ValidatorSpec.packageVersion

    func look(_ parameters: CheckParameters, _ context: LookContext) async -> Finding {
        let name = parameters["name"]
        guard !name.isEmpty, !name.hasPrefix("-"), !name.contains(where: { "*?[".contains($0) })
        else {
            return .unknown("\"\(name)\" is no name of a package", "correct the check in the plan")
        }
        var argv = [context.systemProgram("dpkg-query")]
        if context.root != "", context.root != "/" {
            guard let database = try? HostPath.below(context.root, "/var/lib/dpkg"),
                access(database, F_OK) == 0
            else {
                return .unknown(
                    "there is no /var/lib/dpkg", "use this check on Debian's hosts only")
            }
            argv += ["--admindir", database]
        }
        argv += ["--show", "--showformat", "${db:Status-Status} ${Version}\n", name]
        let result = await context.run(argv)
        let (code, finding) = result.exitCode(context.timeout)
        guard let code else { return finding }
        return Self.judge(name, code, result, parameters)
    }

    private static func judge(
        _ name: String, _ code: Int32, _ result: ProcessRun.Result, _ parameters: CheckParameters
    ) -> Finding {
        let remedy = "install the version that is wanted"
        // dpkg-query(1): 1 if the package is not known, 2 if something went wrong.
        if code == 1 { return .fail("\(name) is not installed", remedy) }
        let words = result.text.split(whereSeparator: \.isWhitespace)
        guard code == 0, words.count == 2 else {
            return .unknown(
                "dpkg-query tells nothing of \(name), exit \(code)\(result.lastLine)",
                "run dpkg-query on the host")
        }
        guard words[0] == "installed" else {
            return .fail("\(name) is not installed: \(words[0])", remedy)
        }
        guard let version = VersionText(words[1]) else {
            return .unknown("\(name): \(words[1]) is no version", "run dpkg-query on the host")
        }
        var judgement = Judgement()
        judgement.judge(version, parameters)
        return judgement.finding("\(name) \(version)", remedy: remedy)
    }
}
