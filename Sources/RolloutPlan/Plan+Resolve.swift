import Crypto
package import FleetWire

extension Plan {
    /// SHA-256 over the canonical JSON of the plan.
    package var digest: FleetWire.Digest {
        guard let bytes = try? WireJSON.encode(self),
            let digest = FleetWire.Digest(bytes: Array(SHA256.hash(data: bytes)))
        else { preconditionFailure("a plan holds only values that have a form in JSON") }
        return digest
    }

    /// Holds the plan against the fleet; throws what does not fit (a selector without hosts, an
    /// unknown host, a wave that stays empty, …). Checks everything again that the loader checks,
    /// since a plan may come by the API from elsewhere. Time zones are looked up in `zones`, or not
    /// at all.
    package func resolve(
        against fleet: [FleetHost], zones: ZoneLookup? = nil
    ) throws(PlanProblems) -> ResolvedPlan {
        let wrong = PlanChecker.problems(in: self, zones: zones).filter { $0.severity == .error }
        guard wrong.isEmpty else {
            throw PlanProblems(wrong.prefix(PlanLimits.problemsMax).map(\.withoutPlace))
        }
        var resolver = PlanResolver(plan: self, fleet: fleet)
        return try resolver.resolve()
    }
}

extension PlacedProblem {
    /// The problem of a plan that did not come from a file: the message says where in the plan.
    var withoutPlace: PlanProblem {
        let place = path.description
        return PlanProblem(
            severity: severity, file: "", line: 0, column: 0,
            message: place.isEmpty ? message : "\(place): \(message)")
    }
}
