import FleetWire
import HostProcesses
import Validation

/// The check `run`: a program's exit code and output.
struct RunValidator: Validator {
    let spec = ValidatorSpec.run

    func look(_ parameters: CheckParameters, _ context: LookContext) async -> Finding {
        let shell = parameters.text("shell").map { ["/bin/sh", "-eu", "-c", $0] }
        let result = await context.run(
            shell ?? parameters.texts("argv"), environment: parameters.textsByName("env"),
            directory: parameters.text("directory"))
        let (code, finding) = result.exitCode(context.timeout)
        guard let code else { return finding }
        guard code == 0 else {
            return .fail("exit \(code)\(result.lastLine)", "run the program on the host")
        }
        guard let contains = parameters.text("contains") else {
            return .pass("exit 0\(result.lastLine)")
        }
        return String(decoding: result.output, as: UTF8.self).contains(contains)
            ? .pass("exit 0 and its output contains \"\(contains)\"")
            : .fail(
                "exit 0, but its output does not contain \"\(contains)\"\(result.lastLine)",
                "run the program on the host and read its output")
    }
}
