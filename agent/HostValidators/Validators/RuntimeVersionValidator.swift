import FleetWire
import HostProcesses
import Validation

/// The check `runtime_version`.
struct RuntimeVersionValidator: Validator {
    let spec = ValidatorSpec.runtimeVersion

    func look(_ parameters: CheckParameters, _ context: LookContext) async -> Finding {
        let argv = parameters.texts("argv")
        let result = await context.run(argv)
        let (code, finding) = result.exitCode(context.timeout)
        guard let code else { return finding }
        let remedy = "run the program on the host"
        guard code == 0 else {
            return .unknown("exit \(code)\(result.lastLine)", remedy)
        }
        guard let version = VersionText(in: result.text, after: parameters.text("after")) else {
            return .unknown("its output has no version\(result.lastLine)", remedy)
        }
        var judgement = Judgement()
        judgement.judge(version, parameters)
        return judgement.finding(
            "\(argv.first ?? "") \(version)", remedy: "install the version that is wanted")
    }
}
