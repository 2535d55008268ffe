import Hummingbird
import OperatorAPI

extension APIRoutes {
    static let checks: [APIRoute] = [
        // Checks run programs, as steps of plans do.
        APIRoute(.post, "/v1/checks", .operator) { request, _, api in
            let wanted = try await request.json(FleetCheckRequest.self)
            let hosts = try await api.coordinator.hosts(of: wanted)
            return lines { (write: (FleetCheckAnswer?) async throws -> Void) in
                try await api.coordinator.check(wanted, hosts, give: write)
            }
        }
    ]
}
