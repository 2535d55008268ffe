import FleetWire
import HostProcesses
import Validation

/// The checks `api_compatibility` and `backward_compatibility`.
struct ReplayValidator: Validator {
    let spec: ValidatorSpec
    /// True if an answer need only be usable by those who knew the recorded one.
    let isLenient: Bool

    static let api = ReplayValidator(spec: .apiCompatibility, isLenient: false)
    static let backward = ReplayValidator(spec: .backwardCompatibility, isLenient: true)

    private static let bodyBytesMax = 4 << 20
    private static let remedy =
        "look what changed the interface, or record it anew if that is meant"

    func look(_ parameters: CheckParameters, _ context: LookContext) async -> Finding {
        await context.blocking { cancellation in
            look(parameters, context.deadline, cancellation)
        }
    }

    private func look(
        _ parameters: CheckParameters, _ deadline: ContinuousClock.Instant,
        _ cancellation: OwnThread.Cancellation
    ) -> Finding {
        let path = parameters["recording"]
        let requests: [RecordedRequest]
        switch Self.read(path, cancellation) {
        case .success(let read): requests = read
        case .failure(let why): return .unknown(why.reason, "record the requests again")
        }
        guard !requests.isEmpty else {
            return .unknown("\(path) holds no request", "record the requests again")
        }
        var offences = Offences()
        var replayed = 0
        for request in requests {
            guard request.isSafe || parameters.flag("unsafe") == true else {
                offences.add(.unknown, request.name, "not sent, as it may change something")
                continue
            }
            replay(request, parameters, deadline, cancellation, &offences)
            replayed += 1
        }
        return offences.judgement.finding(
            "\(replayed) of \(requests.count) requests replayed"
                + (offences.lines.isEmpty ? "" : ", \(offences.lines.count) differences"),
            remedy: Self.remedy, evidence: offences.lines)
    }

    private func replay(
        _ request: RecordedRequest, _ parameters: CheckParameters,
        _ deadline: ContinuousClock.Instant, _ cancellation: OwnThread.Cancellation,
        _ offences: inout Offences
    ) {
        let base = parameters["url"]
        let exchange = HTTPExchange(
            method: request.method,
            url: (base.hasSuffix("/") ? String(base.dropLast()) : base) + request.path,
            headers: request.headers, body: request.body, bodyBytesMax: Self.bodyBytesMax)
        let begun = ContinuousClock.now
        let answer: HTTPResponse
        do throws(HTTPExchange.Failure) {
            answer = try exchange.run(deadline: deadline, cancellation: cancellation)
        } catch {
            return offences.add(error.isTold ? .fail : .unknown, request.name, error.reason)
        }
        let took = Milliseconds(since: begun)
        if let most = parameters.span("latency_warn"), took > most {
            offences.add(.warn, request.name, "took \(took.count)ms, longer than latency_warn")
        }
        judge(answer, request, added: addedStatus(parameters), &offences)
    }

    private func addedStatus(_ parameters: CheckParameters) -> CheckStatus {
        isLenient ? .pass : parameters.text("added").flatMap(CheckStatus.init) ?? .warn
    }

    private func judge(
        _ answer: HTTPResponse, _ request: RecordedRequest, added: CheckStatus,
        _ offences: inout Offences
    ) {
        let status = answer.status ?? 0
        let isSame = isLenient ? status / 100 == request.status / 100 : status == request.status
        guard isSame else {
            return offences.add(.fail, request.name, "status \(status), \(request.status) recorded")
        }
        guard let recorded = request.answer else { return }
        guard answer.isWhole, answer.body.count < Self.bodyBytesMax else {
            return offences.add(.unknown, request.name, "the answer broke off, or is too large")
        }
        let found = JSONTree(answer.body) ?? .text(String(decoding: answer.body, as: UTF8.self))
        let shape = JSONShape(of: found, against: recorded)
        for difference in shape.differences { offences.add(.fail, request.name, difference) }
        guard added != .pass else { return }
        for place in shape.added { offences.add(added, request.name, "\(place) was added") }
    }

    private static func read(
        _ path: String, _ cancellation: OwnThread.Cancellation
    ) -> Result<[RecordedRequest], RecordedRequest.Malformed> {
        var requests: [RecordedRequest] = []
        var broken: RecordedRequest.Malformed?
        var number = 0
        var cutter = LineCutter()
        func take(_ line: ArraySlice<UInt8>) {
            number += 1
            do throws(RecordedRequest.Malformed) {
                requests.append(try RecordedRequest(Array(line), number: number))
            } catch {
                broken = broken ?? error
            }
        }
        do throws(FileParts.Failure) {
            try FileParts.forEach(of: path, cancellation) { cutter.take($0, take) }
        } catch {
            return .failure(.init(reason: error.reason))
        }
        cutter.finish(take)
        if let broken { return .failure(.init(reason: "\(path), \(broken.reason)")) }
        return .success(requests)
    }
}
