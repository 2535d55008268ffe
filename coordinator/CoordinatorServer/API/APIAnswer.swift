import FleetWire
import Hummingbird
import OperatorAPI

/// Reads bodies and writes answers of the API.
enum APIAnswer {
    static func json(
        _ value: some Encodable, status: HTTPResponse.Status = .ok
    ) throws -> Response {
        bytes(try WireJSON.encode(value), type: "application/json", status: status)
    }

    static func text(_ text: String, type: String) -> Response {
        bytes(Array(text.utf8), type: type, status: .ok)
    }

    private static func bytes(
        _ bytes: [UInt8], type: String, status: HTTPResponse.Status
    ) -> Response {
        var headers: HTTPFields = [.contentType: type, .cacheControl: "no-store"]
        headers[.xContentTypeOptions] = "nosniff"
        return Response(
            status: status, headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}

extension Request {
    /// The body as `Value`; throws `APIFailure("invalid")`, or 413 past the limit.
    func json<Value: Decodable>(_ type: Value.Type) async throws -> Value {
        let buffer = try await body.collect(upTo: CoordinatorLimits.bodyBytesMax)
        do {
            return try WireJSON.decode(Value.self, from: Array(buffer.readableBytesView))
        } catch let error as FrameError {
            throw APIFailure(code: "invalid", message: "the body is refused: \(error.reason)")
        } catch let error as DecodingError {
            throw APIFailure(
                code: "invalid", message: "the body is not a \(Value.self): \(Self.place(error))",
                remedy: "docs/reference/openapi.yaml describes it")
        }
    }

    private static func place(_ error: DecodingError) -> String {
        let context =
            switch error {
            case .typeMismatch(_, let context), .valueNotFound(_, let context),
                .dataCorrupted(let context):
                context
            case .keyNotFound(let key, let context):
                DecodingError.Context(
                    codingPath: context.codingPath + [key], debugDescription: "it is missing")
            @unknown default:
                DecodingError.Context(codingPath: [], debugDescription: "it does not decode")
            }
        let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
        return "\(path.joined(separator: ".")): \(context.debugDescription)"
    }

    /// A parameter of the query; throws `APIFailure` if it is no number.
    func number(_ name: String) throws -> UInt64? {
        guard let text = uri.queryParameters[Substring(name)] else { return nil }
        guard let number = UInt64(text) else {
            throw APIFailure(code: "invalid", message: "\(name) must be a number, not \(text)")
        }
        return number
    }

    /// A parameter of the query.
    func text(_ name: String) -> String? {
        uri.queryParameters[Substring(name)].map(String.init)
    }

    /// The wait of a long poll.
    func wait() throws -> Milliseconds {
        Milliseconds(Int64(clamping: try number("wait") ?? 0))
    }
}

extension APIContext {
    /// A parameter of the path; throws `APIFailure("not_found")` if it is ill-formed.
    func identifier<ID: WireIdentifier>(_ type: ID.Type) throws -> ID {
        let text = parameters.get("id") ?? ""
        guard let id = ID(text) else {
            throw APIFailure(code: "not_found", message: "\(text.prefix(128)) is no valid id")
        }
        return id
    }

    /// The digest of the path; throws `APIFailure("invalid")` if it is none.
    func digest() throws -> Digest {
        let text = parameters.get("sha256") ?? ""
        guard let digest = Digest(text) else {
            throw APIFailure(
                code: "invalid", message: "\(text.prefix(80)) is no SHA-256",
                remedy: "give 64 lower-case hexadecimal digits")
        }
        return digest
    }
}
