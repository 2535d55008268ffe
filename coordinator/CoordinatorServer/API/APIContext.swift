import Hummingbird
import OperatorAPI

/// One request's context: who asks is set by `APIDoor` before a route is reached.
struct APIContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    var principal: APITokenView?

    init(source: Source) { coreContext = .init(source: source) }

    /// Who asks.
    func caller() throws -> APITokenView {
        guard let principal else {
            throw APIFailure(code: "not_authorised", message: "nobody is logged in")
        }
        return principal
    }
}
