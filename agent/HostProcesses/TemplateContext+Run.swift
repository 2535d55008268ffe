package import FleetWire

extension TemplateContext {
    /// The run of `step` on this host: its strings filled in, its directory below the root, a
    /// minimal environment (PATH, HOME, LANG, BELAY_ROOT, BELAY_HOST) and what the step adds.
    package func processRun(
        of step: RunStep, timeout: Milliseconds
    ) throws(TemplateError) -> ProcessRun {
        var argv: [String] = []
        for text in step.argv { argv.append(try fill(text)) }
        if let shell = step.shell {
            guard argv.isEmpty else {
                throw TemplateError(reason: "a run has argv and shell; give one of them")
            }
            argv = ["/bin/sh", "-eu", "-c", try fill(shell)]
        }
        guard !argv.isEmpty else {
            throw TemplateError(reason: "a run names no program; give argv or shell")
        }
        return try processRun(argv: argv, adding: step.env, in: step.directory, timeout: timeout)
    }

    /// The run of an argv whose strings are filled in already.
    package func processRun(
        argv: [String], adding env: [String: String] = [:], in directory: String? = nil,
        timeout: Milliseconds
    ) throws(TemplateError) -> ProcessRun {
        var environment = [
            "PATH": ProcessRun.path, "HOME": "/root", "LANG": "C.UTF-8", "BELAY_ROOT": root,
            "BELAY_HOST": host.rawValue,
        ]
        for (name, value) in env { environment[name] = try fill(value) }
        let place: String
        do throws(HostPathError) {
            place = try HostPath.below(root, try fillPath(directory ?? "/"))
        } catch {
            throw TemplateError(reason: error.reason)
        }
        return ProcessRun(
            argv: argv, environment: environment, directory: place, timeout: timeout)
    }

    private func fillPath(_ text: String) throws(HostPathError) -> String {
        do throws(TemplateError) {
            return try fill(text)
        } catch {
            throw HostPathError(reason: error.reason)
        }
    }
}
