import FleetWire
import OperatorAPI

/// What a request about points must hold to before any host is asked.
enum PointRules {
    /// Throws `APIFailure("invalid")` that says what is wrong with it.
    static func check(_ wanted: FleetPointRequest) throws {
        try checkPace(wanted)
        let request = wanted.request
        for (field, text) in [
            ("point", request.point), ("other", request.other), ("name", request.name),
            ("reason", request.reason),
        ] {
            guard let text else { continue }
            guard !text.isEmpty, text.utf8.count <= CoordinatorLimits.pointTextBytesMax else {
                throw invalid(
                    "\(field) must have 1 to \(CoordinatorLimits.pointTextBytesMax) bytes")
            }
        }
        try checkPoint(request)
        try checkFields(request)
    }

    private static func checkPace(_ wanted: FleetPointRequest) throws {
        if let most = wanted.maxParallel,
            !(1...CoordinatorLimits.pointsAtOnceMax).contains(most)
        {
            throw invalid("max_parallel must be 1 to \(CoordinatorLimits.pointsAtOnceMax)")
        }
        if let within = wanted.within,
            within <= .zero || within > CoordinatorLimits.pointWithinMax
        {
            throw invalid("within must be 1 ms to one day")
        }
        let isRestore = wanted.request.action == .restore
        if !isRestore, wanted.maxUnavailable != nil || wanted.keepGoing != nil {
            throw invalid("max_unavailable and keep_going are for restore")
        }
    }

    private static func checkPoint(_ request: PointRequest) throws {
        switch request.action {
        case .show, .diff, .verify, .restore, .repair:
            guard request.point != nil else {
                throw invalid("\(request.action.rawValue) needs a point")
            }
        case .list, .create, .scrub:
            guard request.point == nil else {
                throw invalid("\(request.action.rawValue) takes no point")
            }
        case .prune: break
        }
    }

    /// An option that would be ignored is refused: somebody counts on it.
    private static func checkFields(_ request: PointRequest) throws {
        let action = request.action
        let misplaced: [(String, Bool)] = [
            ("other", request.other != nil && action != .diff),
            ("components", request.components != nil && action != .create),
            ("name", request.name != nil && action != .create),
            ("rereads", request.rereads != nil && action != .create),
            ("deep", request.deep != nil && action != .verify),
            ("scope", request.scope != nil && action != .restore && action != .diff),
            ("only", request.only != nil && action != .restore && action != .diff),
            ("no_capture", request.noCapture != nil),
            ("retention", request.retention != nil && action != .prune),
            ("dry_run", request.dryRun != nil && action != .restore && action != .prune),
        ]
        if let first = misplaced.first(where: \.1) {
            throw first.0 == "no_capture"
                ? invalid("a restore without a capture before it is for the host alone")
                : invalid("\(first.0) is not for \(action.rawValue)")
        }
        if let limits = request.retention,
            limits.count.map({ $0 < 1 }) ?? false || limits.age.map({ $0 <= .zero }) ?? false
        {
            throw invalid("a retention's limits must be above 0")
        }
        if request.action == .prune, request.point != nil, request.retention != nil {
            throw invalid("prune takes a point or a retention, not both")
        }
    }

    private static func invalid(_ message: String) -> APIFailure {
        APIFailure(
            code: "invalid", message: message,
            remedy: "docs/reference/openapi.yaml describes requests about points")
    }
}
