import FleetWire
import Glibc
import HostProcesses
import Validation

/// The check `dns`.
struct DNSValidator: Validator {
    let spec = ValidatorSpec.dns

    func look(_ parameters: CheckParameters, _ context: LookContext) async -> Finding {
        await context.blocking { _ in
            let begun = ContinuousClock.now
            let answer = Self.addresses(of: parameters["name"])
            return Self.judge(answer, took: Milliseconds(since: begun), parameters)
        }
    }

    enum Answer {
        case addresses(Set<String>)
        case noSuchName(String)
        case untold(String)
    }

    static func judge(
        _ answer: Answer, took: Milliseconds, _ parameters: CheckParameters
    ) -> Finding {
        let name = parameters["name"]
        let remedy = "look at the zone, /etc/hosts and /etc/resolv.conf"
        switch answer {
        case .noSuchName(let why): return .fail("\(name): \(why)", remedy)
        case .untold(let why): return .unknown("\(name): \(why)", remedy)
        case .addresses(let found):
            var judgement = Judgement()
            let wanted = Set(parameters.texts("addresses"))
            for address in wanted.subtracting(found).sorted() {
                judgement.note(.fail, "\(address) is not among them")
            }
            if !wanted.isEmpty {
                let status = parameters.flag("exact") == true ? CheckStatus.fail : .warn
                for address in found.subtracting(wanted).sorted() {
                    judgement.note(status, "\(address) is not expected")
                }
            }
            for (bound, status) in [("latency_max", CheckStatus.fail), ("latency_warn", .warn)] {
                if let most = parameters.span(bound), took > most {
                    judgement.note(status, "longer than \(bound), \(most.text)")
                }
            }
            return judgement.finding(
                "\(name) is \(found.sorted().joined(separator: ", ")), after \(took.count)ms",
                remedy: remedy)
        }
    }

    private static func addresses(of name: String) -> Answer {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(name, nil, &hints, &list)
        guard code == 0, let first = list else {
            let why = String(cString: gai_strerror(code))
            // EAI_NODATA (-5): the name is there without an address.
            return code == EAI_NONAME || code == -5 ? .noSuchName(why) : .untold(why)
        }
        defer { freeaddrinfo(first) }
        var found: Set<String> = []
        var next: UnsafeMutablePointer<addrinfo>? = first
        while let address = next {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            if getnameinfo(
                address.pointee.ai_addr, address.pointee.ai_addrlen, &text,
                socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0
            {
                found.insert(
                    String(
                        decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) },
                        as: UTF8.self))
            }
            next = address.pointee.ai_next
        }
        return found.isEmpty ? .untold("the answer has no address") : .addresses(found)
    }
}
