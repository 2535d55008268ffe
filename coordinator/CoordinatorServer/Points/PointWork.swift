import FleetWire
import OperatorAPI

/// Where the answers to one request about points go, as they come. A caller that went away is
/// noticed when something is given, at the latest by the next empty line.
struct PointAnswers: Sendable {
    /// The answers; nil says only that they are still waited for. Taken by one caller.
    let stream: AsyncStream<PointAnswer?>
    private let out: AsyncStream<PointAnswer?>.Continuation

    init() { (stream, out) = AsyncStream.makeStream() }

    /// False if nobody takes it any more.
    @discardableResult
    func give(_ answer: PointAnswer?) -> Bool {
        if case .terminated = out.yield(answer) { false } else { true }
    }

    /// Ends the stream, by the side that gives or the one that takes.
    func finish() { out.finish() }
}

/// An order about points that is durable and is to be carried out.
struct PointWork: Sendable {
    let order: PointOrder
    /// What each host is asked.
    let request: PointRequest
    let pace: PointPace
    /// True goes on with the other hosts after one could not be restored.
    let keepsGoing: Bool
    let answers: PointAnswers
}

/// How many hosts are asked at the same time and how long each may take.
struct PointPace: Sendable {
    var atOnce: Int
    var within: Milliseconds

    /// Of a request that was checked.
    init(_ wanted: FleetPointRequest) {
        atOnce = wanted.maxParallel ?? CoordinatorLimits.pointsAtOnce
        within = wanted.within ?? Self.usual(wanted.request)
    }

    /// Long enough for large hosts on slow disks; a host that died is noticed by its silence.
    private static func usual(_ request: PointRequest) -> Milliseconds {
        switch request.action {
        case .list, .show: .seconds(60)
        case .diff, .prune: .seconds(1800)
        case .verify: .seconds(request.deep == true ? 14_400 : 600)
        case .create: .seconds(3600)
        case .restore, .scrub, .repair: .seconds(14_400)
        }
    }
}
