import FleetWire
@testable import HostValidators

/// Judges a time that no real connection has to take.
enum LatencySample {
    static func judge(
        took: Milliseconds, warn: Milliseconds, most: Milliseconds
    ) -> (status: CheckStatus, threshold: String) {
        let parameters = CheckParameters(values: [
            "latency_warn": .whole(Int(warn.count)), "latency_max": .whole(Int(most.count)),
        ])
        let finding = TCPValidator.judge("connected", took: took, parameters)
        return (finding.status, finding.threshold ?? "")
    }
}
