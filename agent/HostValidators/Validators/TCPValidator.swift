import FleetWire
import HostProcesses
import Validation

/// The check `tcp`.
struct TCPValidator: Validator {
    let spec = ValidatorSpec.tcp

    func look(_ parameters: CheckParameters, _ context: LookContext) async -> Finding {
        await context.blocking { cancellation in
            let socket = TCPSocket(deadline: context.deadline, cancellation: cancellation)
            defer { socket.close() }
            let host = parameters["host"]
            let port = parameters.whole("port").map { "\($0)" } ?? ""
            let begun = ContinuousClock.now
            do throws(TCPSocket.Failure) {
                try socket.connect(host: host, port: port)
            } catch {
                let said = "\(host):\(port): \(error.reason)"
                let remedy = "look whether the service listens there and the way to it is open"
                return error.isLate ? .unknown(said, remedy) : .fail(said, remedy)
            }
            return Self.judge(
                "\(host):\(port) accepted", took: Milliseconds(since: begun), parameters)
        }
    }

    static func judge(
        _ said: String, took: Milliseconds, _ parameters: CheckParameters
    ) -> Finding {
        var judgement = Judgement()
        if let most = parameters.span("latency_max"), took > most {
            judgement.note(.fail, "longer than latency_max, \(most.text)")
        }
        if let most = parameters.span("latency_warn"), took > most {
            judgement.note(.warn, "longer than latency_warn, \(most.text)")
        }
        return judgement.finding(
            "\(said) after \(took.count)ms", remedy: "look at the network and the service's load")
    }
}
