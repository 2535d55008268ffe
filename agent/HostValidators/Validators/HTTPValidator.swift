import FleetWire
import Glibc
import HostProcesses
import Validation

/// The check `http`: one GET over plain HTTP/1.1; redirects are not followed.
struct HTTPValidator: Validator {
    let spec = ValidatorSpec.http

    func look(_ parameters: CheckParameters, _ context: LookContext) async -> Finding {
        let asked = HTTPCheck(
            url: parameters["url"], status: parameters.list("status").compactMap(\.whole),
            contains: parameters.text("contains"))
        return await context.blocking { cancellation in
            HTTPProbe.run(asked, deadline: context.deadline, cancellation: cancellation)
        }
    }
}

/// One request of the check `http`.
enum HTTPProbe {
    static let bodyBytesMax = 65536
    private static let remedy = "look at the service's log and whether it listens there"

    static func run(
        _ spec: HTTPCheck, deadline: ContinuousClock.Instant, cancellation: OwnThread.Cancellation
    ) -> Finding {
        let exchange = HTTPExchange(url: spec.url, bodyBytesMax: bodyBytesMax)
        do throws(HTTPExchange.Failure) {
            return judge(try exchange.run(deadline: deadline, cancellation: cancellation), spec)
        } catch {
            return error.isTold ? .fail(error.reason, remedy) : .unknown(error.reason, remedy)
        }
    }

    private static func judge(_ response: HTTPResponse, _ spec: HTTPCheck) -> Finding {
        let status = response.status ?? 0
        let wanted = spec.status.isEmpty ? [200] : spec.status
        let list = wanted.map(String.init).joined(separator: " or ")
        let measured = "status \(status), \(list) wanted"
        guard wanted.contains(status) else { return .fail(measured, remedy) }
        guard response.isWhole else {
            return .fail(measured + ", but the answer broke off", remedy)
        }
        guard let text = spec.contains else { return .pass(measured) }
        return String(decoding: response.body, as: UTF8.self).contains(text)
            ? .pass(measured + ", body contains \"\(text)\"")
            : .fail(measured + ", but the body does not contain \"\(text)\"", remedy)
    }
}

/// Where a check's URL leads.
struct HTTPTarget {
    let host: String
    let port: String
    let authority: String
    let path: String

    init?(_ url: String) {
        guard url.lowercased().hasPrefix("http://"),
            url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F })
        else { return nil }
        let rest = url.dropFirst(7)
        let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        let place = rest[..<end]
        let tail = rest[end...].prefix { $0 != "#" }
        path = tail.hasPrefix("/") ? String(tail) : "/" + tail
        guard !place.contains("@") else { return nil }
        authority = String(place)
        var name = place
        var number = "80"
        let bracket = place.lastIndex(of: "]") ?? place.startIndex
        if let colon = place[bracket...].lastIndex(of: ":") {
            number = String(place[place.index(after: colon)...])
            name = place[..<colon]
        }
        if name.hasPrefix("[") && name.hasSuffix("]") { name = name.dropFirst().dropLast() }
        guard !name.isEmpty, UInt16(number) != nil else { return nil }
        host = String(name)
        port = number
    }
}
