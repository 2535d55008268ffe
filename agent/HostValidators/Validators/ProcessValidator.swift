import FleetWire
import Validation

/// The check `process`.
struct ProcessValidator: Validator {
    let spec = ValidatorSpec.process

    func look(_ parameters: CheckParameters, _ context: LookContext) async -> Finding {
        switch await ProcessTable(context).named(parameters, context) {
        case .untold(let finding): finding
        case .found(let processes): Self.judge(processes, parameters, root: context.root)
        }
    }

    private static func judge(
        _ processes: [ProcessTable.Process], _ parameters: CheckParameters, root: String
    ) -> Finding {
        let count = processes.count
        let most = parameters.whole("count_max")
        let least = parameters.whole("count_min") ?? min(1, most ?? 1)
        var judgement = Judgement()
        if count < least {
            judgement.note(.fail, "fewer than count_min, \(least)")
        }
        if let most, count > most { judgement.note(.fail, "more than count_max, \(most)") }
        if let most = parameters.whole("count_warn"), count > most {
            judgement.note(.warn, "more than count_warn, \(most)")
        }
        let accounts = Accounts(root: root)
        if let user = parameters.text("user") {
            if let id = accounts.user(user) {
                for other in processes where other.user != id {
                    judgement.note(
                        .fail, "\(other.pid) runs as \(accounts.userName(other.user)), not \(user)")
                }
            } else {
                judgement.note(.unknown, "no user is called \(user) on this host")
            }
        }
        let numbers = processes.prefix(5).map { "\($0.pid)" }.joined(separator: ", ")
        return judgement.finding(
            "\(parameters.processes): \(count) running"
                + (numbers.isEmpty ? "" : " (\(numbers)\(count > 5 ? ", …" : ""))"),
            remedy: "look at the service's state and its log")
    }
}
